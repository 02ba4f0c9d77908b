"""The commands removals and removals again: who was removed, by ids alone.

A removal is asked for and approved in the portal of the help desk, never here.
"""

import datetime as dt
import json as json_format
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import running, terminal
from cvms_pipeline.domain.vocabulary import cases

if TYPE_CHECKING:
    from cvms_pipeline.use_cases.help_desk import removal

app = typer.Typer(invoke_without_command=True)


class _NotAList(errors.PermanentError):
    """This is not the output of `cvms removals --json`."""


@app.callback()
def removals(
    context: typer.Context,
    since: terminal.Since = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Show at most so many; default: all."),
    ] = None,
    json: terminal.Json = False,
) -> None:
    """List the recipients who were removed, the latest first: ids, cases and times.

    Example: cvms removals --since 2025-03-15 --json
    """
    if context.invoked_subcommand is not None:
        return
    from cvms_pipeline.use_cases.help_desk import removal

    with running.open_pipeline() as pipeline:
        found = removal.list_done(
            pipeline, since=since and since.astimezone(), limit=limit
        )
    if json:
        terminal.print_json([_as_json(each) for each in found])
        return
    table = terminal.make_table("Recipient", "Case", "Removed", "Erased")
    for each in found:
        table.add_row(
            terminal.escape(each.recipient_id),
            terminal.escape(cases.format_number(each.case_number)),
            terminal.format_moment(each.approved_at),
            terminal.format_moment(each.erased_at),
        )
    if found:
        terminal.out().print(table)
    else:
        terminal.print_line("Nobody was removed.")


@app.command()
def again(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The output of `removals --json`; - reads it."
        ),
    ],
) -> None:
    """Do removals again after an older backup was restored.

    Whoever is not there or is removed already is passed over.

    Example: cvms removals again removals.json
    """
    from cvms_pipeline.cli import accounts
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases.help_desk import removal

    text = sys.stdin.read() if str(file) == "-" else _read(file)
    listed = _parse(text)
    chosen = loading.load()
    with running.open_pipeline(chosen) as pipeline:
        done = sum(removal.repeat(pipeline, each) for each in listed)
        accounts.end_log_ins(chosen, pipeline, [each.recipient_id for each in listed])
    people = "1 recipient is" if done == 1 else f"{done:,} recipients are"
    terminal.print_line(f"{people} removed again, of {len(listed):,} listed.")


def _as_json(each: "removal.Removal") -> dict[str, Any]:
    return {
        "recipient": each.recipient_id,
        "case": cases.format_number(each.case_number),
        "asked_by": each.asked_by,
        "asked_at": each.asked_at,
        "approved_by": each.approved_by,
        "approved_at": each.approved_at,
        "erased_at": each.erased_at,
    }


def _read(file: Path) -> str:
    with terminal.explain_os_errors("read", file):
        return file.read_text("utf-8")


def _parse(text: str) -> "Sequence[removal.Removal]":
    """Return the removals that a file lists.

    Raises:
        _NotAList: If it does not list any.
    """
    try:
        listed = json_format.loads(text)
        if isinstance(listed, list):
            return [_to_removal(each) for each in listed]
    except (KeyError, TypeError, ValueError):
        raise _NotAList from None
    raise _NotAList


def _to_removal(each: Mapping[str, Any]) -> "removal.Removal":
    from cvms_pipeline.use_cases.help_desk import removal

    number = cases.parse_number(each["case"])
    if number is None:
        raise _NotAList
    return removal.Removal(
        recipient_id=str(uuid.UUID(each["recipient"])),
        case_number=number,
        asked_by=str(uuid.UUID(each["asked_by"])),
        asked_at=dt.datetime.fromisoformat(each["asked_at"]),
        approved_by=str(uuid.UUID(each["approved_by"])),
        approved_at=dt.datetime.fromisoformat(each["approved_at"]),
        erased_at=None,
    )
