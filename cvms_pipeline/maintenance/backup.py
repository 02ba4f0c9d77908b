"""A backup: the tables at one moment, and the files that belong to them.

It is made while everything runs, in an order that loses nothing: first the waiting
files are copied from the incoming folder, then the tables are dumped as one snapshot,
then the bytes of each upload in the snapshot are copied, which never change.  A file
that became an upload meanwhile is in the snapshot, and its copy is removed again.  What
arrives later is not in the backup.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path

from cvms_pipeline.database import dumps, engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.files import access, archive, incoming, names
from cvms_pipeline.maintenance import bundle, incoming_backup
from cvms_pipeline.store import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The installation to back up, or to restore to.

    Attributes:
        url: The database, as the role that owns its tables.
        actor: The name in the audit of the person who does it.
        find_program: Returns pg_dump or pg_restore for a major version of Postgres.
        folders: The incoming folder.
        archive: The folder of the archive.
        key: The file of the key that signs links; None if a setting holds it.
    """

    url: str
    actor: str
    find_program: Callable[[str, int], Path]
    folders: incoming.Folders
    archive: Path
    key: Path | None

    def open_store(self) -> engine.Store:
        """Return the store, with one connection."""
        return engine.Store(self.url, pool_size=1, actor=self.actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSummary:
    """The facts about a backup, as they are in its file `backup.json`.

    Attributes:
        began_at: When it was begun, as ISO 8601; so is `ended_at`.
        server: The major version of Postgres.
        revision: The revision of our tables.
        rows: How many rows each table has, by `schema.table`.
        archived: How many uploads and files of cases it holds the bytes of.
        missing: Unfinished uploads and files of cases, of which the archive did not
            have the bytes.
        changed: Those for which the archive has other bytes than were received.
        waiting: How many files it holds that are not uploads yet.
        left_out: How many things in the incoming folder were not copied: somebody was
            writing them, or they are no regular files.
        unreadable: The names of files that are not in it because our user may not
            read them; no name that a provider has chosen.
    """

    began_at: str
    ended_at: str
    versions: Mapping[str, str]
    server: int
    revision: str
    rows: Mapping[str, int]
    archived: int
    missing: Sequence[str]
    changed: Sequence[str]
    waiting: int
    left_out: int
    unreadable: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the archive keeps: the bytes of an upload, or of a file of a case."""

    id: str
    sha256: str | None
    is_needed: bool
    path: Path


def make(
    installation: Installation, path: Path, *, now: Callable[[], dt.datetime]
) -> BackupSummary:
    """Write a backup to the new folder `path`.

    Raises:
        BackupExists: If there is something at `path`.
        DumpFailed: If the tables could not be dumped.
        StoreAway, FolderAway, DiskFull: No backup was made.
    """
    began_at = now()
    folders = installation.folders
    with contextlib.closing(installation.open_store()) as store:
        with bundle.create(path) as backup:
            with store.begin() as conn:
                earlier = {upload.id for upload in dumps.list_upload_files(conn)}
            earlier.update(incoming_backup.list_ids(folders.claims))
            # Files are copied before the snapshot is taken: one that is registered
            # between the two is then in both, and never in neither.
            found = incoming.scan(folders, now=began_at)
            copied = incoming_backup.copy_waiting(folders, found, backup)
            with dumps.open_snapshot(store) as snapshot:
                program = installation.find_program("pg_dump", snapshot.server)
                dumps.dump(installation.url, snapshot, program, backup / bundle.DUMP)
                uploads = dumps.list_upload_files(snapshot.conn)
                of_cases = dumps.list_case_files(snapshot.conn)
            kept = _list_kept(installation, uploads, of_cases)
            waiting = incoming_backup.remove_registered(copied, uploads, earlier)
            quarantined = {each.id for each in uploads if each.is_quarantined}
            quarantined.update(waiting.claim_ids)
            closed = incoming_backup.copy_quarantine(folders, quarantined, backup)
            closed += _copy_archive(installation, kept, backup)
            waiting = replace(waiting, unreadable=[*waiting.unreadable, *closed])
            digests = bundle.read_digests(backup)
            summary = _summarise(snapshot, kept, waiting, digests, began_at, now())
            bundle.write_sums(backup, digests, asdict(summary))
        _record(store, summary)
    return summary


def _copy_archive(
    installation: Installation, kept: Mapping[str, _Kept], backup: Path
) -> list[str]:
    """Copy the bytes of uploads and of cases, and the key that signs links.

    What is missing in the archive is left out; `_summarise` names it.

    Returns:
        The names of the files that may not be read.
    """
    files = {name: each.path for name, each in kept.items()}
    if installation.key is not None:
        files[bundle.KEY] = installation.key
    unreadable = []
    for name, path in files.items():
        if not incoming_backup.is_readable(path):
            unreadable.append(name)
            continue
        with (
            access.translate_errors(path.parent),
            contextlib.suppress(FileNotFoundError),
            path.open("rb") as file,
        ):
            bundle.copy(file, backup / name)
    return unreadable


def _list_kept(
    installation: Installation,
    uploads: Sequence[dumps.UploadFile],
    case_files: Sequence[dumps.CaseFile],
) -> Mapping[str, _Kept]:
    """Return what the archive has to hold, by its path in a backup."""
    archived = archive.Archive(installation.archive)
    of_cases = archived.open_cases()
    root = Path(bundle.ARCHIVE)
    kept = {
        names.upload_path(root, each.id): _Kept(
            id=each.id,
            sha256=each.sha256,
            is_needed=not each.is_finished,  # of finished ones, retention removes them
            path=archived.path(each.id),
        )
        for each in uploads
        if each.sha256 and not each.is_quarantined
    }
    kept |= {
        names.upload_path(root / archive.CASES, each.id): _Kept(
            id=each.id,
            sha256=each.sha256,
            is_needed=True,
            path=of_cases.path(each.id),
        )
        for each in case_files
    }
    return {str(name): each for name, each in kept.items()}


def _summarise(
    snapshot: dumps.Snapshot,
    kept: Mapping[str, _Kept],
    waiting: incoming_backup.WaitingFiles,
    digests: Mapping[str, str],
    began_at: dt.datetime,
    ended_at: dt.datetime,
) -> BackupSummary:
    closed = waiting.unreadable
    found = [(e, digests.get(name)) for name, e in kept.items() if name not in closed]
    return BackupSummary(
        began_at=began_at.isoformat(),
        ended_at=ended_at.isoformat(),
        versions={
            "cvms": metadata.version("cvms-pipeline"),
            "dagster": metadata.version("dagster"),
        },
        server=snapshot.server,
        revision=snapshot.revision,
        rows=snapshot.rows,
        archived=sum(digest is not None for _, digest in found),
        missing=[e.id for e, digest in found if digest is None and e.is_needed],
        changed=[e.id for e, digest in found if digest not in (None, e.sha256)],
        waiting=len(waiting.lane_files) + len(waiting.claims),
        left_out=waiting.left_out,
        unreadable=closed,
    )


def _record(store: engine.Store, summary: BackupSummary) -> None:
    """Write the backup into the audit."""
    details = {
        "archived": summary.archived,
        "waiting": summary.waiting,
        "left_out": summary.left_out,
    }
    note = audit.Note(event=audit_events.Event.BACKUP_MADE, details=details)
    with store.begin() as conn:
        audit.write(conn, [note])
