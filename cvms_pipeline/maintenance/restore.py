"""A restore: from a backup to an installation that continues its work.

The order is: the archive, the tables in one transaction, the waiting files.  A restore
that was interrupted can be repeated from its beginning, over what it left behind.  As
long as it is not complete, a marker file exists, and `cvms up` does not start.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from cvms_pipeline import disk, errors
from cvms_pipeline.database import dumps, engine, revisions, roles
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.files import access, archive, provider_folders
from cvms_pipeline.maintenance import backup, bundle, incoming_backup, inspection
from cvms_pipeline.store import audit, providers


class InstallationInUse(errors.PermanentError):
    """The installation is not empty, or somebody works with it."""


class BackupTooNew(errors.PermanentError):
    """The backup was made by a later version."""


class RestoreDiffers(errors.PermanentError):
    """The tables have other numbers of rows than the backup."""


def restore(
    target: backup.Installation,
    verified: bundle.Backup,
    *,
    service: roles.Service | None,
    marker: Path,
) -> bool:
    """Restore a backup to an installation that holds nothing.

    Args:
        target: The installation.
        verified: The backup, as `bundle.verify` has read it.
        service: The role of the services in the database, if it is another.
        marker: The file that names the backup as long as this is not complete.

    Returns:
        Whether the tables were of an earlier version, and have been migrated.

    Raises:
        InstallationInUse: If it is not empty, or somebody is connected.
        BackupTooNew: If the backup is of a later version of ours or of Postgres.
        NameUnsafe: If it holds a file that belongs nowhere.
        LoadFailed, RestoreDiffers: The restore is not complete.
    """
    targets = _find_targets(target, verified)
    with contextlib.closing(target.open_store()) as store:
        program = _check(target, store, verified, marker)
        disk.write(marker, verified.digest.encode("ascii"))
        _copy_back(verified, targets, bundle.ARCHIVE)
        if target.key is not None and bundle.KEY in verified.names:
            disk.write(target.key, (verified.folder / bundle.KEY).read_bytes())
        _load(target, store, verified, program)
        store.close()  # the migration takes a connection of its own
        revisions.upgrade(target.url, service)
        _finish(target, store, verified)
    _copy_back(verified, targets, bundle.INCOMING)
    os.sync()
    marker.unlink()
    return revisions.list_known()[0] != str(verified.facts["revision"])


def _find_targets(
    target: backup.Installation, verified: bundle.Backup
) -> Mapping[str, tuple[Path, int]]:
    """Return the path of each file in the installation, and its mode there."""
    archived = archive.Archive(target.archive)
    names = verified.names - {bundle.DUMP, bundle.KEY, bundle.FACTS}
    return {
        name: incoming_backup.find_target(name, target.folders, archived)
        for name in names
    }


def _check(
    target: backup.Installation,
    store: engine.Store,
    verified: bundle.Backup,
    marker: Path,
) -> Path:
    """Check the backup and the installation; return the program that loads tables."""
    facts = verified.facts
    if facts["revision"] not in revisions.list_known():
        raise BackupTooNew(
            f"The backup was made by a later version ({facts['versions']['cvms']}):"
            " install that one, restore, and then go on."
        )
    with store.begin() as conn:
        found = dumps.inspect_database(conn)
    if found.server < facts["server"]:
        raise BackupTooNew(
            f"The backup is of PostgreSQL {facts['server']}, the database here is"
            f" PostgreSQL {found.server}: restore it to that version or a later one."
        )
    if not _was_interrupted(verified, marker):
        _check_unused(target, found.is_empty)
    if found.sessions:
        raise InstallationInUse(
            f"Somebody is connected to the database: {', '.join(found.sessions)}. Stop"
            " every service first."
        )
    return target.find_program("pg_restore", found.server)


def _was_interrupted(verified: bundle.Backup, marker: Path) -> bool:
    """Return whether an earlier restore of the same backup was interrupted here."""
    with contextlib.suppress(FileNotFoundError):
        return marker.read_text("ascii") == verified.digest
    return False


def _check_unused(target: backup.Installation, is_database_empty: bool) -> None:
    if not is_database_empty:
        raise InstallationInUse(
            "The database holds providers or uploads. Restore to a fresh one."
        )
    folders, has_files = target.folders, any(target.archive.glob("*/*"))
    if not has_files and folders.root.exists():
        has_files = inspection.count_incoming(folders).files > 0
        has_files |= bool(incoming_backup.list_ids(folders.quarantine))
    if has_files:
        raise InstallationInUse(
            f"Files lie in {target.archive} or {folders.root}. Restore to"
            " an installation that has none."
        )


def _copy_back(
    verified: bundle.Backup, targets: Mapping[str, tuple[Path, int]], folder: str
) -> None:
    """Copy the files of one folder, over what an interrupted restore has left."""
    for name, (path, mode) in targets.items():
        if name.startswith(f"{folder}/"):
            with (
                access.translate_errors(path.parent),
                (verified.folder / name).open("rb") as source,
            ):
                path.unlink(missing_ok=True)
                bundle.copy(source, path, mode=mode)


def _load(
    target: backup.Installation,
    store: engine.Store,
    verified: bundle.Backup,
    program: Path,
) -> None:
    dumps.load(store, target.url, program, verified.folder / bundle.DUMP)
    with store.begin() as conn:
        rows = dumps.count_rows(conn)
    if rows != verified.facts["rows"]:
        raise RestoreDiffers(f"{RestoreDiffers.__doc__} Restore it once more.")


def _finish(
    target: backup.Installation, store: engine.Store, verified: bundle.Backup
) -> None:
    """Make the folders of the providers, and write the restore into the audit."""
    details = {"began_at": verified.facts["began_at"], "digest": verified.digest}
    note = audit.Note(event=audit_events.Event.BACKUP_RESTORED, details=details)
    with store.begin() as conn:
        registered = providers.list_all(conn)
        audit.write(conn, [note])
    for provider in registered:
        provider_folders.make_folders(target.folders, provider.slug)
