"""The commands recipients and audit.

The audit records who has seen recipients.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import typer

from cvms_pipeline.cli import running, terminal

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import history

_SORTS = "last_name, first_name, birth_date, email, username or loaded_at."


def recipients(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORDS]...",
            help="How names or an e-mail address (with @) begin; all must match. With"
            " - they are asked for, or read from standard input.",
        ),
    ] = None,
    sort: Annotated[str, typer.Option(metavar="COLUMN", help=_SORTS)] = "last_name",
    desc: Annotated[bool, typer.Option("--desc", help="In descending order.")] = False,
    limit: terminal.Limit = 50,
    json: terminal.Json = False,
) -> None:
    """Search recipients: every word must start a first or last name, or the address.

    Other users of this machine can read the words of a command while it runs.

    Example: cvms recipients - --sort birth_date --limit 10
    """
    from cvms_pipeline.use_cases import history

    names = _read_names(words or ())
    with running.open_pipeline() as pipeline:
        found = history.search_recipients(
            pipeline, names, sort=sort, is_descending=desc, limit=limit
        )
    if json:
        rows = found.recipients.to_dict("records")
        counts = {"total": found.total, "is_capped": found.is_capped}
        terminal.print_json({**counts, "recipients": rows})
        return
    count, more = len(found.recipients), " or more" if found.is_capped else ""
    if count:
        terminal.out().print(_make_recipient_table(found))
    noun = "recipient" if found.total == 1 else "recipients"
    terminal.print_line(f"{count:,} of {found.total:,}{more} {noun}")


def _read_names(words: Sequence[str]) -> Sequence[str]:
    """Return the words to search for; `-` asks for them."""
    if list(words) != ["-"]:
        if words:
            terminal.print_note(
                "Other users of this machine can read the words of a command. To be"
                " asked for names: cvms recipients -"
            )
        return words
    if not sys.stdin.isatty():
        return sys.stdin.read().split()
    terminal.err().print("How the names or the address begin: ", end="")
    return sys.stdin.readline().split()


def _make_recipient_table(found: "history.SearchResult") -> rich.table.Table:
    table = terminal.make_table("Recipient", "Born", "Loaded by")
    for row in found.recipients.itertuples():
        table.add_row(
            terminal.join_lines(f"{row.first_name} {row.last_name}", row.email),
            terminal.escape(row.birth_date),
            terminal.join_lines(row.provider, f"{row.upload} line {row.line}"),
        )
    return table


def audit(
    upload: Annotated[
        str | None, typer.Option("--upload", metavar="ID", help="Only this upload.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="SLUG", help="Only this one.")
    ] = None,
    since: terminal.Since = None,
    limit: terminal.Limit = 50,
    json: terminal.Json = False,
) -> None:
    """List who did what, the latest first: uploads, providers, retention, reading.

    Example: cvms audit --provider mercy-hospital --since 2025-03-15
    """
    from cvms_pipeline.use_cases import history

    with running.open_pipeline() as pipeline:
        found = history.list_audit_entries(
            pipeline,
            upload_id=upload,
            provider=provider,
            since=since and since.astimezone(),  # in the terminal's own time zone
            limit=limit,
        )
    if json:
        terminal.print_json([_entry_as_json(entry) for entry in found])
    elif found:
        terminal.out().print(_make_entry_table(found))
    else:
        terminal.print_line("No such entries.")


def _entry_as_json(entry: "history.AuditEntry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "happened_at": entry.happened_at,
        "actor": entry.actor,
        "database_role": entry.database_role,
        "event": entry.event.value,
        "upload": entry.upload_id,
        "provider": entry.provider,
        "run": entry.run_id,
        "details": dict(entry.details),
    }


def _make_entry_table(found: "Sequence[history.AuditEntry]") -> rich.table.Table:
    table = terminal.make_table("When", "Who", "What", "Upload, provider")
    for entry in found:
        details = ", ".join(f"{name} {value}" for name, value in entry.details.items())
        table.add_row(
            terminal.format_moment(entry.happened_at),
            terminal.escape(entry.actor),
            terminal.join_lines(entry.event.value, details),
            terminal.join_lines(entry.upload_id, entry.provider),
        )
    return table
