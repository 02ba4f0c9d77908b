"""The commands outstanding, dismiss and withdraw: what an upload leaves to be done.

What became of the rejected rows of one upload is printed by `uploads`, too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cvms_pipeline.cli import running, terminal

if TYPE_CHECKING:
    from cvms_pipeline.use_cases import history, pipelines
    from cvms_pipeline.use_cases.provider_actions import outstanding as actions

_MAX_LINES = 20


def outstanding(
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="SLUG", help="Only its uploads.")
    ] = None,
    limit: terminal.Limit = 100,
    json: terminal.Json = False,
) -> None:
    """List the uploads with rejected rows that nobody has loaded or dismissed.

    Example: cvms outstanding --provider mercy-hospital
    """
    from cvms_pipeline.use_cases.provider_actions import outstanding as actions

    with running.open_pipeline() as pipeline:
        found = actions.list_outstanding(pipeline, provider=provider, limit=limit)
    if json:
        terminal.print_json([_as_json(each) for each in found])
        return
    table = terminal.make_table("Upload", "Rows", "Lines")
    for each in found:
        source = f"{each.provider} · {each.file_name}"
        upload = terminal.join_lines(each.upload_id, source)
        count = terminal.format_count(len(each.lines))
        table.add_row(upload, count, _list_lines(list(each.lines)))
    if found:
        terminal.out().print(table)
        terminal.print_line("What is wrong with them: cvms upload ID", "dim")
    else:
        terminal.print_line("No rejected row is outstanding.")


def dismiss(
    upload_id: Annotated[str, typer.Argument(metavar="ID", help="The upload's id.")],
    lines: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[LINE]...", help="All that are outstanding if omitted."
        ),
    ] = None,
    why: Annotated[
        str,
        typer.Option(
            "--why", metavar="WORDS", help="The reason, without names of people."
        ),
    ] = ...,  # type: ignore[assignment]  # typer's way to require it
) -> None:
    """Dismiss rejected rows of an upload: they are not outstanding any more.

    Example: cvms dismiss 20250315-093012-k7m2p9xw 4 9 --why "left the hospital"
    """
    from cvms_pipeline.use_cases.provider_actions import outstanding as actions

    with running.open_pipeline() as pipeline:
        count = actions.dismiss(pipeline, upload_id, lines, why=why)
    rows = "1 row is" if count == 1 else f"{count:,} rows are"
    terminal.print_line(f"{rows} dismissed.")


def withdraw(
    upload_id: Annotated[str, typer.Argument(metavar="ID", help="The upload's id.")],
    why: Annotated[
        str,
        typer.Option(
            "--why", metavar="WORDS", help="The reason, without names of people."
        ),
    ] = ...,  # type: ignore[assignment]  # typer's way to require it
) -> None:
    """Withdraw an upload as a whole, while all of its invitations wait.

    Example: cvms withdraw 20250315-093012-k7m2p9xw --why "the wrong file"
    """
    from cvms_pipeline.use_cases.provider_actions import withdraw as actions

    with running.open_pipeline() as pipeline:
        found = actions.withdraw(pipeline, upload_id, why=why)
    taken_out = found.loaded - found.updated
    people = "1 person is" if taken_out == 1 else f"{taken_out:,} people are"
    undone = "1 is" if found.updated == 1 else f"{found.updated:,} are"
    terminal.print_line(
        f"{upload_id} is withdrawn: {people} taken out, of the corrections {undone}"
        " undone."
    )


def describe_chain(
    found: "history.Upload", relatives: "Sequence[actions.Relative]"
) -> list[tuple[str, Any]]:
    """Return parents, children and what is outstanding, as names and values."""
    named = {"Brings back rows of": True, "Brought back by": False}
    listed = [
        (name, "\n".join(map(_describe, relatives_of(relatives, is_parent=is_parent))))
        for name, is_parent in named.items()
    ]
    counts = [("Outstanding", found.outstanding), ("Dismissed", found.dismissed)]
    withdrawn = found.withdrawn_at and (
        f"{terminal.format_moment(found.withdrawn_at)}, {found.withdrawn_why}"
    )
    return [
        *listed,
        *((name, count and f"{count:,}") for name, count in counts),
        ("Withdrawn", withdrawn),
    ]


def chain_as_json(
    pipeline: "pipelines.Pipeline",
    found: "history.Upload",
    relatives: "Sequence[actions.Relative]",
) -> dict[str, Any]:
    """Return the chain of an upload, and what became of each rejected row, as JSON."""
    from cvms_pipeline.use_cases.provider_actions import outstanding as actions

    states = actions.read_states(pipeline, found)
    return {
        "parents": [e.upload_id for e in relatives_of(relatives, is_parent=True)],
        "children": [e.upload_id for e in relatives_of(relatives, is_parent=False)],
        "outstanding": found.outstanding,
        "dismissed": found.dismissed,
        "withdrawn_at": found.withdrawn_at,
        "withdrawn_why": found.withdrawn_why,
        "rejected_rows": [
            {
                "line": line,
                "state": state.describe(),
                "brought_back_by": state.brought_back_by,
                "brought_back_line": state.brought_back_line,
                "dismissed_why": state.dismissed_why,
            }
            for line, state in states.items()
        ],
    }


def relatives_of(
    relatives: "Sequence[actions.Relative]", *, is_parent: bool
) -> "Sequence[actions.Relative]":
    """Return the parents alone, or the children alone."""
    return [each for each in relatives if each.is_parent is is_parent]


def _describe(each: "actions.Relative") -> str:
    again = each.rows - each.loaded
    rows = "1 row" if each.rows == 1 else f"{each.rows:,} rows"
    return (
        f"{each.upload_id} · {each.file_name} · {rows}: {each.loaded:,} loaded,"
        f" {again:,} rejected again"
    )


def _as_json(each: "actions.OutstandingUpload") -> dict[str, Any]:
    return {
        "upload": each.upload_id,
        "provider": each.provider,
        "file_name": each.file_name,
        "received_at": each.received_at,
        "outstanding": len(each.lines),
        "rows": [{"line": n, "codes": list(codes)} for n, codes in each.lines.items()],
    }


def _list_lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:_MAX_LINES]))
    more = len(lines) - _MAX_LINES
    return f"{shown} and {more:,} more" if more > 0 else shown
