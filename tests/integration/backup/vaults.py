"""Backups of an installation and restores to another, in a few words for tests."""

import contextlib
import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import installations
import sqlalchemy as sa

from cvms_pipeline import settings
from cvms_pipeline.files import archive, bundle, incoming
from cvms_pipeline.ingest import backup, restore
from cvms_pipeline.local import programs
from cvms_pipeline.store import dumps, engine

VERSIONS = {"cvms": "0.1.0", "dagster": "1.13"}
AFTERWARDS = "event LIKE 'backup-%'"


def program(name: str) -> Callable[[int], Path]:
    return lambda major: programs.find(name, major)


@dataclass(frozen=True, kw_only=True)
class Vault:
    """Makes backups of one installation."""

    site: installations.Installation
    url: str
    path: Path

    def source(self, **other: Any) -> backup.Source:
        made = backup.Source(
            store=self.site.pipeline.store,
            url=self.url,
            pg_dump=program("pg_dump"),
            folders=self.site.pipeline.folders,
            archive=self.site.pipeline.archive,
            secret=self.site.home / "data" / "run" / "secret_key",
            versions=VERSIONS,
            now=settings.now,
        )
        return replace(made, **other)

    def make(self, **other: Any) -> backup.Made:
        return backup.make(self.source(**other), self.path)

    def members(self) -> list[str]:
        with tarfile.open(self.path) as tar:
            return tar.getnames()

    def facts(self) -> Any:
        with tarfile.open(self.path) as tar:
            file = tar.extractfile("manifest.json")
            assert file is not None
            return json.load(file)


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """An installation to restore to."""

    target: restore.Target
    home: Path

    def restore(self, path: Path) -> restore.Restored:
        return restore.restore(self.target, path, bundle.verified(path))

    def waiting(self) -> list[str]:
        root = self.target.folders.root
        found = (p for p in root.glob("*/*_volume/*") if p.parent.parent.name[0] != ".")
        return sorted(str(path.relative_to(root)) for path in found)

    def archived(self) -> dict[str, bytes]:
        return archived(self.target.archive)


def fresh(home: Path, url: str) -> Fresh:
    home.mkdir(exist_ok=True)
    data = home / "data"
    (data / "run").mkdir(parents=True)
    target = restore.Target(
        store=engine.Store(url, pool_size=1),
        url=url,
        service=None,
        pg_restore=program("pg_restore"),
        folders=incoming.Folders(root=data / "incoming", settle_seconds=0),
        archive=archive.Archive(data / "archive"),
        secret=data / "run" / "secret_key",
        marker=data / "run" / "restoring",
    )
    return Fresh(target=target, home=home)


def archived(shelves: archive.Archive) -> dict[str, bytes]:
    """Return the bytes of every upload in an archive."""
    files = (path for path in shelves.root.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def everything(store: engine.Store) -> dict[str, str]:
    """Return a digest of all rows of every table of every schema that is dumped.

    But for what the backup and the restore themselves have put into the audit.
    """
    with store.begin() as conn:
        return {
            name: _digest(conn, name)
            for name in dumps.rows(conn)
            if name.startswith(dumps.SCHEMAS)
        }


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
def in_the_middle(patch: Any, owner: Any, name: str, then: Callable[[], None]) -> Any:
    """Do something right before a step of the backup is done, once."""
    real = getattr(owner, name)
    is_done = []

    def step(*words: Any, **named: Any) -> Any:
        if not is_done:
            is_done.append(True)
            then()
        return real(*words, **named)

    with patch.context() as context:
        context.setattr(owner, name, step)
        yield
    assert is_done, f"{name} was never reached"
