"""A backup: the tables at one moment, and the files that belong to them.

Made while everything runs, in an order that loses nothing.  First what waits in the
incoming folder is copied, then the tables are dumped as one snapshot, then the bytes
of each upload that the snapshot knows, which never change.  What became an upload
in between is in the snapshot, and its copy is dropped.  What comes later is not in
the backup.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline.domain import events
from cvms_pipeline.files import archive, bundle, incoming, rescue
from cvms_pipeline.store import audit, dumps, engine

DUMP, SECRET = "database.dump", "secret_key"

_RECENT = dt.timedelta(days=1)  # far more than clocks may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is backed up.

    Attributes:
        store: The database, as somebody who may read all of it.
        url: Its address for pg_dump.
        pg_dump: Returns the program for a server of that major version.
        folders: The incoming folder.
        archive: The archive.
        secret: The file of the key that signs links; None if a setting holds it.
        versions: What is installed, to be noted.
        now: Returns the time.
    """

    store: engine.Store
    url: str
    pg_dump: Callable[[int], Path]
    folders: incoming.Folders
    archive: archive.Archive
    secret: Path | None
    versions: Mapping[str, str]
    now: Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a backup holds.

    Attributes:
        rows: How many rows each table has.
        archived: How many uploads' bytes.
        waiting: How many files that are no uploads yet.
        left_out: How many things in the incoming folder somebody was writing, or
            are no files.
        lost: Unfinished uploads whose bytes the archive did not have.
        changed: Uploads for which the archive has other bytes than were received.
    """

    rows: Mapping[str, int]
    archived: int
    waiting: int
    left_out: int
    lost: Sequence[str]
    changed: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelved:
    archived: int
    lost: Sequence[str]
    changed: Sequence[str]


def make(source: Source, path: Path) -> Made:
    """Write a backup to the new file `path`.

    Raises:
        BackupExists: If there is something at `path`.
        DumpFailed: If the tables could not be dumped.
        StoreAway, FolderAway, DiskFull: No backup was made.
    """
    began = source.now()
    with bundle.writing(path) as backup:
        with source.store.begin() as conn:
            before = {each.id for each in dumps.recent(conn, began - _RECENT)}
        before.update(rescue.claim_ids(source.folders))
        found = incoming.look(source.folders, now=began)
        waiting = rescue.copy_waiting(source.folders, found, backup.folder)
        with dumps.snapshot(source.store) as taken:
            dump = backup.folder / DUMP
            dumps.dump(source.url, taken, source.pg_dump(taken.server), dump)
            shelved = _add_archive(source, taken, backup)
            since = taken.recent(began - _RECENT)
            new = [each for each in since if each.id not in before]
            kept = _not_registered(waiting.copies, new, taken, before)
            _add_quarantine(source, taken, kept, backup)
        made = Made(
            rows=taken.rows,
            archived=shelved.archived,
            waiting=_files(kept),
            left_out=waiting.left_out,
            lost=shelved.lost,
            changed=shelved.changed,
        )
        _add_rest(source, dump, kept, backup)
        backup.close(_facts(source, taken, made, began))
    note = audit.Note(event=events.Event.BACKUP_MADE, details=_counts(made))
    with source.store.begin() as conn:
        audit.write(conn, [note])
    return made


def _add_archive(
    source: Source, taken: dumps.Snapshot, backup: bundle.Writer
) -> _Shelved:
    """Add the bytes of every upload; retention has removed those of old ones."""
    count = 0
    lost: list[str] = []
    changed: list[str] = []
    for each in taken.archived():
        digest = backup.add(f"archive/{each.id}", source.archive.path(each.id))
        if digest is not None:
            count += 1
            changed += [each.id] if digest != each.sha256 else []
        elif not each.is_finished:
            lost.append(each.id)
    return _Shelved(archived=count, lost=lost, changed=changed)


def _not_registered(
    copies: Sequence[rescue.Copied],
    new: Sequence[dumps.Recent],
    taken: dumps.Snapshot,
    before: Collection[str],
) -> list[rescue.Copied]:
    """Return the copies of what is no upload in the snapshot, each file once.

    A claim has its upload's id.  A file in a lane has none, and is one of those that
    were claimed since `before` if folder, lane, name and bytes are the same: as many
    copies are dropped as there are such uploads, and such claims.
    """
    known = taken.among({c.upload_id for c in copies if c.upload_id is not None})
    claimed = rescue.facts_of_claims(copies)
    gone = Counter(each.facts for each in new) + Counter(
        facts
        for upload_id, facts in claimed.items()
        if upload_id not in known and upload_id not in before
    )
    kept = []
    for copy in copies:
        if copy.facts is not None and gone[copy.facts] > 0:
            gone[copy.facts] -= 1
        elif copy.upload_id not in known:
            kept.append(copy)
    return kept


def _add_quarantine(
    source: Source,
    taken: dumps.Snapshot,
    kept: Sequence[rescue.Copied],
    backup: bundle.Writer,
) -> None:
    """Add what was never let in, of uploads and claims that the backup holds."""
    wanted = taken.quarantined() | {copy.upload_id for copy in kept}
    for upload_id, member, path in rescue.quarantined(source.folders):
        if upload_id in wanted:
            backup.add(member, path)


def _add_rest(
    source: Source,
    dump: Path,
    kept: Collection[rescue.Copied],
    backup: bundle.Writer,
) -> None:
    """Add what a restore needs after the archive: tables, then what waits."""
    if source.secret is not None:
        backup.add(SECRET, source.secret)
    backup.add(DUMP, dump)
    for copy in kept:
        backup.add(copy.member, copy.path)


def _files(copies: Sequence[rescue.Copied]) -> int:
    """Return how many files wait: a claim may be two copies."""
    return len({copy.upload_id or copy.member for copy in copies})


def _facts(
    source: Source, taken: dumps.Snapshot, made: Made, began: dt.datetime
) -> dict[str, Any]:
    return {
        "began_at": began.isoformat(),
        "ended_at": source.now().isoformat(),
        "versions": dict(source.versions),
        "server": taken.server,
        "revision": taken.revision,
        "rows": dict(made.rows),
        **_counts(made),
        "lost": list(made.lost),
        "changed": list(made.changed),
    }


def _counts(made: Made) -> dict[str, int]:
    return {
        "archived": made.archived,
        "waiting": made.waiting,
        "left_out": made.left_out,
    }
