"""A restore: from a backup to an installation that goes on where that one was.

In this order: the archive and quarantine, the tables as one transaction, what
waited.  A restore that was interrupted can be repeated from its beginning, over
what it left; `Target.marker` says so until it is complete.
"""

import io
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvms_pipeline import errors
from cvms_pipeline.domain import events
from cvms_pipeline.files import archive, bundle, disk, faults, incoming, rescue
from cvms_pipeline.files import providers as folders_of
from cvms_pipeline.ingest import backup
from cvms_pipeline.store import audit, dumps, engine, providers, roles


class InstallationInUse(errors.PermanentError):
    """There is something in this installation, or somebody works with it."""


class BackupTooNew(errors.PermanentError):
    """The backup was made by a later version."""


class RestoreDiffers(errors.PermanentError):
    """What was loaded is not what the backup says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a backup is restored to.

    Attributes:
        store: The database, as its owner, with one connection.
        url: Its address for pg_restore.
        service: The role that the services have there, if it is another.
        pg_restore: Returns the program for a server of that major version.
        folders: The incoming folder.
        archive: The archive.
        secret: The file of the key that signs links; None if a setting holds it.
        marker: A file that says which backup is being restored.
    """

    store: engine.Store
    url: str
    service: roles.Service | None
    pg_restore: Callable[[int], Path]
    folders: incoming.Folders
    archive: archive.Archive
    secret: Path | None
    marker: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored.

    Attributes:
        facts: What the backup says of itself.
        rows: How many rows each table has.
        is_migrated: Whether the tables were of an earlier version.
        has_secret: Whether the backup held the key that signs links.
    """

    facts: Mapping[str, Any]
    rows: Mapping[str, int]
    is_migrated: bool
    has_secret: bool


def restore(target: Target, path: Path, manifest: bundle.Manifest) -> Restored:
    """Restore the backup at `path`, whose manifest was verified.

    Raises:
        InstallationInUse: If anything is here already, or anybody connected.
        BackupTooNew: If it is of a later version, of ours or of Postgres.
        LoadFailed, RestoreDiffers: The restore is not complete.
    """
    program = _checked(target, manifest)
    disk.write(target.marker, manifest.digest.encode("ascii"))
    rows: Mapping[str, int] = {}
    for member, _size, content in bundle.members(path):
        if member == backup.DUMP:
            rows = _load(target, program, content, manifest)
        elif member == backup.SECRET:
            _put_secret(target, content.read())
        elif member != bundle.MANIFEST:
            rescue.put_back(target.folders, target.archive, member, content)
    os.sync()
    target.marker.unlink()
    return Restored(
        facts=manifest.facts,
        rows=rows,
        is_migrated=not dumps.is_head(manifest.facts["revision"]),
        has_secret=any(name == backup.SECRET for name, _, _ in manifest.members),
    )


def _checked(target: Target, manifest: bundle.Manifest) -> Path:
    """Return the program that loads the tables, if everything may be done."""
    facts = manifest.facts
    if not dumps.is_known(facts["revision"]):
        raise BackupTooNew(
            f"The backup was made by a later version ({facts['versions']['cvms']}):"
            " install that one, restore, and then go on."
        )
    with target.store.begin() as conn:
        server = dumps.server(conn)
        others = dumps.others(conn)
        is_unused = dumps.is_unused(conn)
    if server < facts["server"]:
        raise BackupTooNew(
            f"The backup is of PostgreSQL {facts['server']}, the database here is"
            f" PostgreSQL {server}: restore it to that version or a later one."
        )
    if not _is_interrupted(target, manifest):
        _check_unused(target, is_unused)
    if others:
        raise InstallationInUse(
            f"Somebody is connected to the database: {', '.join(others)}. Stop every"
            " service first."
        )
    return target.pg_restore(server)


def _is_interrupted(target: Target, manifest: bundle.Manifest) -> bool:
    """Return whether this backup has been begun to be restored here."""
    try:
        return target.marker.read_text("ascii") == manifest.digest
    except FileNotFoundError:
        return False


def _check_unused(target: Target, is_database_unused: bool) -> None:
    if not is_database_unused:
        raise InstallationInUse(
            "The database holds providers or uploads. Restore to a fresh one."
        )
    if not rescue.is_untouched(target.folders, target.archive):
        raise InstallationInUse(
            f"Files lie in {target.archive.root} or {target.folders.root}. Restore to"
            " an installation that has none."
        )


def _load(
    target: Target, program: Path, content: io.BufferedIOBase, manifest: bundle.Manifest
) -> Mapping[str, int]:
    dump = target.marker.with_name(f".{backup.DUMP}")
    try:
        with faults.translated(dump.parent):
            dump.unlink(missing_ok=True)
            descriptor = os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(content, file)
        dumps.load(target.store, target.url, program, dump)
    finally:
        dump.unlink(missing_ok=True)
    with target.store.begin() as conn:
        rows = dumps.rows(conn)
    if rows != manifest.facts["rows"]:
        raise RestoreDiffers(f"{RestoreDiffers.__doc__} Restore it once more.")
    target.store.close()  # the migration takes a connection of its own
    engine.upgrade(target.url, target.service)
    note = audit.Note(
        event=events.Event.BACKUP_RESTORED,
        details={"began_at": manifest.facts["began_at"], "digest": manifest.digest},
    )
    with target.store.begin() as conn:
        registered = providers.list_all(conn)
        audit.write(conn, [note])
    for provider in registered:
        folders_of.make_provider(target.folders, provider.slug)
    return rows


def _put_secret(target: Target, key: bytes) -> None:
    """Keep the key that signs links, unless a setting holds one here."""
    if target.secret is not None:
        disk.write(target.secret, key)
