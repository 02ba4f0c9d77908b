"""Rejected rows as commands tell of them: as JSON, and as a table with what to do.

For `check` and for `upload` alike; the texts come from `domain`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rich.console
import rich.text

from cvms_pipeline.cli import terminal
from cvms_pipeline.domain import reasons

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Rejected rows side by side, in order of line.

    Attributes:
        lines: Their line numbers.
        codes: Their reason codes.
        messages: What the provider reads, with `Line N: `.
    """

    lines: Sequence[int]
    codes: Sequence[Sequence[str]]
    messages: Sequence[str]


def as_json(rejected: Rejected) -> list[dict[str, Any]]:
    """Return the `rejections` of DESIGN 9."""
    rows = zip(rejected.lines, rejected.codes, rejected.messages, strict=True)
    return [
        {"line": line, "codes": list(dict.fromkeys(codes)), "message": message}
        for line, codes, message in rows
    ]


def refusal_as_json(refusal: reasons.Refusal | None) -> dict[str, str] | None:
    """Return the `refusal` of DESIGN 9."""
    if refusal is None:
        return None
    return {"code": refusal.code, "message": refusal.message}


def storable(text: str) -> str:
    """Return a path or a name without what UTF-8 cannot say."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def show(
    out: rich.console.Console, rejected: Rejected, counts: Mapping[str, int]
) -> None:
    """Print the first rejected rows, and what to do about all of them.

    Args:
        out: Where to.
        rejected: The rows.
        counts: Reason code to the number of rows that have it.
    """
    if not rejected.lines:
        return
    table = terminal.table("Line", "Message")
    table.columns[0].justify = "right"
    for line, message in list(zip(rejected.lines, rejected.messages, strict=True))[
        :_MOST_SHOWN
    ]:
        table.add_row(f"{line:,}", terminal.plain(message.partition(": ")[2]))
    out.print()
    out.print(table)
    more = len(rejected.lines) - _MOST_SHOWN
    if more > 0:
        rows = "1 more row" if more == 1 else f"{more:,} more rows"
        out.print(rich.text.Text(f"  … and {rows}; --json has them all", "dim"))
    out.print(rich.text.Text("\nWhat to do", style="bold"))
    for code in reasons.REASONS:
        if code in counts:
            out.print(rich.text.Text(f"  • {reasons.in_words(code, counts[code])}"))
