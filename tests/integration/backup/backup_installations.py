"""Backups of an installation and restores to another, in a few words for tests."""

import contextlib
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import installations
import sqlalchemy as sa

from cvms_pipeline.database import dumps, engine
from cvms_pipeline.files import incoming
from cvms_pipeline.local.postgres import programs
from cvms_pipeline.maintenance import backup, bundle, restore
from cvms_pipeline.settings import loading

AFTERWARDS = "event LIKE 'backup-%'"


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Makes backups of one installation."""

    site: installations.Installation
    url: str
    path: Path

    def make(self, **other: Any) -> backup.BackupSummary:
        return backup.make(self.installation(**other), self.path, now=loading.now)

    def installation(self, **other: Any) -> backup.Installation:
        made = installation(self.site.home / "data", self.url)
        return replace(made, **{"folders": self.site.pipeline.folders, **other})

    def names(self) -> list[str]:
        """Return the path of every file in the backup."""
        found = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.path)) for path in found)


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """An installation to restore to."""

    target: backup.Installation
    home: Path
    store: engine.Store

    @property
    def marker(self) -> Path:
        return self.home / "data" / "run" / "restoring"

    def restore(self, path: Path) -> bool:
        self.store.close()  # nobody may be connected
        verified = bundle.verify(path)
        return restore.restore(self.target, verified, service=None, marker=self.marker)

    def waiting(self) -> list[str]:
        root = self.target.folders.root
        found = (p for p in root.glob("*/*_volume/*") if p.parent.parent.name[0] != ".")
        return sorted(str(path.relative_to(root)) for path in found)

    def archived(self) -> dict[str, bytes]:
        return archived(self.target.archive)


def fresh(home: Path, url: str) -> Fresh:
    (home / "data" / "run").mkdir(parents=True)
    target = installation(home / "data", url)
    return Fresh(target=target, home=home, store=engine.Store(url, pool_size=1))


def installation(data: Path, url: str) -> backup.Installation:
    return backup.Installation(
        url=url,
        actor="user:ops",
        find_program=programs.find_program,
        folders=incoming.Folders(root=data / "incoming", settle_seconds=0),
        archive=data / "archive",
        key=data / "run" / "secret_key",
    )


def archived(root: Path) -> dict[str, bytes]:
    """Return the bytes of every upload in an archive."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def everything(store: engine.Store) -> dict[str, str]:
    """Return a digest of all rows of every table of every schema that is dumped.

    But for what the backup and the restore themselves have put into the audit.
    """
    with store.begin() as conn:
        return {name: _digest(conn, name) for name in dumps.count_rows(conn)}


def _digest(conn: sa.Connection, table: str) -> str:
    where = f" WHERE NOT {AFTERWARDS}" if table == "cvms.audit" else ""
    query = f"SELECT t::text FROM {table} AS t{where} ORDER BY 1"  # noqa: S608 # names of tables
    digest = hashlib.sha256()
    count = 0
    for text in conn.scalars(sa.text(query)):
        digest.update(text.encode() + b"\n")
        count += 1
    return f"{count} rows, {digest.hexdigest()}"


@contextlib.contextmanager
def in_the_middle(
    patch: Any, owner: Any, name: str, then: Callable[[], None], *, at: int = 1
) -> Any:
    """Do something right before a step of the backup is done for the `at`th time."""
    real = getattr(owner, name)
    calls = itertools.count(1)
    is_done = []

    def step(*words: Any, **named: Any) -> Any:
        if next(calls) == at:
            is_done.append(True)
            then()
        return real(*words, **named)

    with patch.context() as context:
        context.setattr(owner, name, step)
        yield
    assert is_done, f"{name} was never reached"
