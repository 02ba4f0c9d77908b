"""The commands backup and restore: their options and output.

`maintenance.backup` and `maintenance.restore` do the work.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvms_pipeline.cli import terminal

if TYPE_CHECKING:
    from cvms_pipeline.maintenance import bundle
    from cvms_pipeline.maintenance.backup import Installation
    from cvms_pipeline.settings import loading

_INCOMPLETE = 1
_MAX_NAMED = 10


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The new folder.")],
) -> None:
    """Write tables, archive and waiting files to a new folder, while everything runs.

    It contains personal data, and only you can read it.
    Exit code 0: it is complete; 1: it was not made, or something is missing
    in it, which is named.

    Example: cvms backup /srv/backup/monday
    """
    from cvms_pipeline.cli import running
    from cvms_pipeline.maintenance import backup
    from cvms_pipeline.settings import loading

    chosen = loading.load()
    with running.open_pipeline(chosen):
        installation = _describe_installation(chosen)
        summary = backup.make(installation, path.absolute(), now=loading.now)
    terminal.print_line(f"The backup is in {path}, for you alone.")
    terminal.out().print(
        terminal.make_facts(_describe_counts(dataclasses.asdict(summary)))
    )
    if summary.left_out:
        count = summary.left_out
        what = "1 thing was" if count == 1 else f"{count:,} things were"
        terminal.print_note(
            f"{what} left out of the incoming folder: being written, or no file."
        )
    if _has_key(chosen):
        terminal.print_note("CVMS_SECRET_KEY is a setting, and not in the backup.")
    _print_faults("The archive does not hold the upload", summary.missing)
    _print_faults("The archive has other bytes for", summary.changed)
    _print_faults("Not in the backup, because we may not read it:", summary.unreadable)
    if summary.missing or summary.changed or summary.unreadable:
        raise typer.Exit(_INCOMPLETE)


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The backup.")],
    check: Annotated[
        bool,
        typer.Option("--check", help="Only read it, and say whether it is complete."),
    ] = False,
) -> None:
    """Restore a backup into an installation that is empty and does not run.

    Every digest is compared before anything is written.
    Work that was not finished is finished after the next `cvms up`.

    Example: cvms restore /srv/backup/monday
    """
    from cvms_pipeline.maintenance import bundle
    from cvms_pipeline.settings import loading

    verified = bundle.verify(path.absolute())
    facts = terminal.make_facts(_describe_backup(verified.facts))
    if check:
        terminal.print_line(f"{path} is whole and undamaged.")
        terminal.out().print(facts)
        return
    chosen = loading.load()
    is_migrated = _restore(chosen, verified)
    terminal.print_line("Restored. `cvms up` goes on from there.")
    terminal.out().print(facts)
    if is_migrated:
        text = "The tables were of an earlier version, and have been migrated."
        terminal.print_line(text)
    _print_key_note(is_set=_has_key(chosen), is_restored=bundle.KEY in verified.names)


def _print_key_note(*, is_set: bool, is_restored: bool) -> None:
    if not is_set and not is_restored:
        terminal.print_note(
            "The backup has no key of links: set CVMS_SECRET_KEY to the old one, or"
            " links that are out stop working."
        )
    if is_set and is_restored:
        terminal.print_note(
            "The backup's key of links was left, for CVMS_SECRET_KEY is set: links"
            " that are out work only if it is the same."
        )


def _restore(chosen: "loading.Settings", verified: "bundle.Backup") -> bool:
    """Restore while nothing runs; return whether the tables were migrated."""
    from cvms_pipeline import bootstrap
    from cvms_pipeline.cli import running
    from cvms_pipeline.local import supervise
    from cvms_pipeline.maintenance import restore

    data = chosen.folders.data
    with supervise.prevent_start(data), running.run_database(chosen):
        return restore.restore(
            _describe_installation(chosen),
            verified,
            service=bootstrap.get_service_role(chosen),
            marker=supervise.get_restore_marker(data),
        )


def _describe_installation(chosen: "loading.Settings") -> "Installation":
    from cvms_pipeline import bootstrap
    from cvms_pipeline.cli import running
    from cvms_pipeline.local.postgres import programs
    from cvms_pipeline.maintenance import backup

    return backup.Installation(
        url=chosen.urls.owner,
        actor=running.get_actor(),
        find_program=programs.find_program,
        folders=bootstrap.create_folders(chosen),
        archive=chosen.folders.path("archive"),
        key=None if _has_key(chosen) else chosen.folders.run / "secret_key",
    )


def _has_key(chosen: "loading.Settings") -> bool:
    """Return whether the key of links is a setting."""
    return chosen.links.secret_key is not None


def _describe_backup(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    version = facts["versions"]["cvms"]
    return [
        ("Begun at", facts["began_at"]),
        ("Made by", f"cvms {version}, PostgreSQL {facts['server']}"),
        *_describe_counts(facts),
    ]


def _describe_counts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = facts["rows"]
    return [
        ("Uploads", f"{rows.get('cvms.uploads', 0):,}"),
        ("Recipients", f"{rows.get('cvms.recipients', 0):,}"),
        ("Dagster's runs", f"{rows.get('dagster.runs', 0):,}"),
        ("Files in the archive", f"{facts['archived']:,}"),
        ("Files not taken in yet", f"{facts['waiting']:,}"),
    ]


def _print_faults(what: str, upload_ids: Sequence[str]) -> None:
    for upload_id in upload_ids[:_MAX_NAMED]:
        terminal.print_error(f"{what} {upload_id}")
    if len(upload_ids) > _MAX_NAMED:
        terminal.print_error(f"... and for {len(upload_ids) - _MAX_NAMED:,} more.")
