"""`cvms backup` and `cvms restore`: what they are given, and what they tell.

What belongs to a backup is `ingest.backup`, how it comes back `ingest.restore`.
"""

import contextlib
import functools
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from cvms_pipeline import opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.files import archive, bundle
from cvms_pipeline.ingest import backup as backups
from cvms_pipeline.ingest import restore as restores
from cvms_pipeline.local import programs, supervise
from cvms_pipeline.store import engine

_WHOLE, _INCOMPLETE = 0, 1
_MOST_NAMED = 10


def backup(settings: settings_.Settings, path: Path) -> int:
    """Write a backup; return the exit code: 1 if something was missing."""
    with access.opened(settings) as store:
        source = backups.Source(
            store=store,
            url=settings.owner_url,
            pg_dump=functools.partial(programs.find, "pg_dump"),
            folders=opening.open_folders(settings),
            archive=archive.Archive(settings.folder("archive")),
            secret=_secret_file(settings),
            versions={
                "cvms": _version("cvms-pipeline"),
                "dagster": _version("dagster"),
            },
            now=settings_.now,
        )
        made = backups.make(source, path.absolute())
    terminal.out().print(terminal.plain(f"The backup is in {path}, for you alone."))
    terminal.out().print(terminal.facts(_held(made.rows, made.archived, made.waiting)))
    _tell_left_out(made.left_out)
    if settings.secret_key is not None:
        terminal.print_note("CVMS_SECRET_KEY is a setting, and not in the backup.")
    return _complain(made.lost, made.changed)


def check(path: Path) -> None:
    """Read a backup from end to end and tell what is in it."""
    facts = bundle.verified(path).facts
    terminal.out().print(terminal.plain(f"{path} is whole and undamaged."))
    terminal.out().print(terminal.facts(_about(facts)))


def restore(settings: settings_.Settings, path: Path) -> None:
    """Restore a backup to an installation that holds nothing."""
    manifest = bundle.verified(path)
    with (
        supervise.standing_still(settings.data),
        access.running(settings) as url,
        _owner(url) as store,
    ):
        target = restores.Target(
            store=store,
            url=url,
            service=access.service(settings),
            pg_restore=functools.partial(programs.find, "pg_restore"),
            folders=opening.open_folders(settings),
            archive=archive.Archive(settings.folder("archive")),
            secret=_secret_file(settings),
            marker=supervise.restore_marker(settings.data),
        )
        restored = restores.restore(target, path, manifest)
    out = terminal.out()
    out.print("Restored. `cvms up` goes on from there.")
    out.print(terminal.facts(_about(restored.facts)))
    if restored.is_migrated:
        out.print("The tables were of an earlier version, and have been migrated.")
    _tell_of_secret(settings, restored)


def _owner(url: str) -> contextlib.closing[engine.Store]:
    """Return a store as the role that owns the tables; it has one connection."""
    return contextlib.closing(engine.Store(url, pool_size=1, actor=access.actor()))


def _secret_file(settings: settings_.Settings) -> Path | None:
    if settings.secret_key is not None:
        return None
    return settings.data / "run" / "secret_key"


def _version(distribution: str) -> str:
    return metadata.version(distribution)


def _about(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    versions = facts["versions"]
    return [
        ("Begun at", facts["began_at"]),
        ("Made by", f"cvms {versions['cvms']}, PostgreSQL {facts['server']}"),
        *_held(facts["rows"], facts["archived"], facts["waiting"]),
    ]


def _held(
    rows: Mapping[str, int], archived: int, waiting: int
) -> list[tuple[str, str]]:
    return [
        ("Uploads", f"{rows.get('cvms.uploads', 0):,}"),
        ("Recipients", f"{rows.get('cvms.recipients', 0):,}"),
        ("Dagster's runs", f"{rows.get('dagster.runs', 0):,}"),
        ("Files in the archive", f"{archived:,}"),
        ("Files not taken in yet", f"{waiting:,}"),
    ]


def _tell_left_out(number: int) -> None:
    if number:
        what = "1 thing was" if number == 1 else f"{number:,} things were"
        terminal.print_note(
            f"{what} left out of the incoming folder: being written, or no file."
        )


def _tell_of_secret(settings: settings_.Settings, restored: restores.Restored) -> None:
    if settings.secret_key is not None and restored.has_secret:
        terminal.print_note(
            "The backup's key of links was left, for CVMS_SECRET_KEY is set: links"
            " that are out work only if it is the same."
        )
    elif settings.secret_key is None and not restored.has_secret:
        terminal.print_note(
            "The backup has no key of links: set CVMS_SECRET_KEY to the old one, or"
            " links that are out stop working."
        )


def _complain(lost: Sequence[str], changed: Sequence[str]) -> int:
    """Say what was wrong with the archive; return the exit code."""
    for what, ids in (
        ("The archive does not hold the upload", lost),
        ("The archive has other bytes for", changed),
    ):
        for upload_id in ids[:_MOST_NAMED]:
            terminal.print_error(f"{what} {upload_id}")
        if len(ids) > _MOST_NAMED:
            terminal.print_error(f"... and for {len(ids) - _MOST_NAMED:,} more.")
    return _INCOMPLETE if lost or changed else _WHOLE
