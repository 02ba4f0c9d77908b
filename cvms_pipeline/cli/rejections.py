"""What rejected rows and refused invitations look like in the terminal and as JSON.

`check`, `upload` and `drop --wait` print them with these functions.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rich.text

from cvms_pipeline.cli import terminal
from cvms_pipeline.domain.vocabulary import refusal_codes

if TYPE_CHECKING:
    import pandas as pd

    from cvms_pipeline.domain.vocabulary import likeness
    from cvms_pipeline.use_cases import history

_MAX_ROWS_SHOWN = 20


def refusal_as_json(refused: "history.RefusedInvitation") -> dict[str, Any]:
    """Return a refused invitation as JSON."""
    return {
        "line": refused.line,
        "error": refused.error,
        "reason": refusal_codes.describe_refusal(refused.error),
    }


def as_json(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return rejected rows as JSON.

    Args:
        rows: A frame of strings indexed by line: `codes` (with commas between) and
            `message` (with `Line N: `).
    """
    columns = (rows.index.tolist(), rows["codes"].str.split(","), rows["message"])
    return [
        {"line": line, "codes": codes, "message": message}
        for line, codes, message in zip(*columns, strict=True)
    ]


def print_rows(rows: "pd.DataFrame", counts: Mapping[str, int]) -> None:
    """Print the first rejected rows, and what to do about all of them.

    Args:
        rows: A frame as in `as_json`.
        counts: Reason code to the number of rows that have it.
    """
    from cvms_pipeline.domain.vocabulary import reasons

    if rows.empty:
        return
    table = terminal.make_table("Line", "Message")
    table.columns[0].justify = "right"
    for line, message in rows["message"].head(_MAX_ROWS_SHOWN).items():
        table.add_row(
            f"{line:,}", terminal.escape(message.removeprefix(f"Line {line}: "))
        )
    out = terminal.out()
    out.print()
    out.print(table)
    more = len(rows) - _MAX_ROWS_SHOWN
    if more > 0:
        what = "1 more row" if more == 1 else f"{more:,} more rows"
        terminal.print_line(f"  … and {what}; --json has them all", "dim")
    out.print(rich.text.Text("\nWhat to do", style="bold"))
    for code in reasons.REASONS:
        if code in counts:
            remedy = reasons.describe_remedy(code, counts[code])
            terminal.print_line(f"  • {remedy}")


def print_table(title: str, lines: Sequence[tuple[int, str]]) -> None:
    """Print the first of `lines`, each with a text, if there are any."""
    if not lines:
        return
    table = terminal.make_table("Line", title)
    table.columns[0].justify = "right"
    for line, text in lines[:_MAX_ROWS_SHOWN]:
        table.add_row(f"{line:,}", terminal.escape(text))
    out = terminal.out()
    out.print()
    out.print(table)
    more = len(lines) - _MAX_ROWS_SHOWN
    if more > 0:
        terminal.print_line(f"  … and {more:,} more; --json has them all", "dim")


def describe_pair(each: "likeness.PossibleDuplicate") -> str:
    """Return what a loaded row has in common with which other."""
    of = "this file" if each.upload is None else each.upload
    whose = "" if each.is_own else " of another provider"
    kind = each.likeness.replace("-", " ")
    return f"{kind}: line {each.other_line} of {of}{whose}"
