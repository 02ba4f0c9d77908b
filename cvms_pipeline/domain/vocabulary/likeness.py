"""Possible duplicates: a row that was loaded, and the person that it resembles.

The values and their words; `matching.possible_duplicates` finds them.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class Likeness(enum.StrEnum):
    """What a possible duplicate and the person that it resembles have in common."""

    SWAPPED_NAMES = "swapped-names"
    """The birth date, and first and last name the other way round."""
    OTHER_LAST_NAME = "other-last-name"
    """First name, birth date and e-mail address, with another last name."""
    SWAPPED_DATE = "swapped-day-and-month"
    """Names and e-mail address, with day and month of the birth date swapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleDuplicate:
    """A row that was loaded, and the person that it resembles; no personal data.

    Attributes:
        line: The row.
        likeness: What they have in common.
        upload: The upload that loaded the other person; None if it is the same one.
        other_line: The row of that upload.
        is_own: Whether the provider of the row loaded the other person, too.  What is
            known about other providers' people is shown to data-ops only.
    """

    line: int
    likeness: Likeness
    upload: str | None
    other_line: int
    is_own: bool


def parse(rows: Iterable[Mapping[Any, Any]]) -> tuple[PossibleDuplicate, ...]:
    """Return the values whose attributes are in `rows`, of a table or a frame."""
    return tuple(
        PossibleDuplicate(**{**row, "likeness": Likeness(row["likeness"])})
        for row in rows
    )


_UNNAMED: Mapping[int, str] = {}
_WORDS: Mapping[Likeness, str] = {
    Likeness.SWAPPED_NAMES: (
        "the same birth date as {other}, first and last name swapped"
    ),
    Likeness.OTHER_LAST_NAME: (
        "the same first name, birth date and e-mail address as {other}, another last"
        " name"
    ),
    Likeness.SWAPPED_DATE: (
        "the same names and e-mail address as {other}, day and month of the birth date"
        " swapped"
    ),
}


def describe_count(found: Sequence[PossibleDuplicate], *, is_loaded: bool) -> str:
    """Return how many rows are probably known to their provider; empty if none is.

    `is_loaded` says whether the rows are loaded, or will be.
    """
    count = len({each.line for each in found if each.is_own})
    if not count:
        return ""
    if count == 1:
        loaded = "was loaded" if is_loaded else "will be loaded"
        return f"1 row {loaded}, but is probably a person who is known already."
    loaded = "were loaded" if is_loaded else "will be loaded"
    return f"{count:,} rows {loaded}, but are probably people who are known already."


def list_points(
    found: Iterable[PossibleDuplicate], named: Mapping[int, str] = _UNNAMED
) -> Sequence[str]:
    """Return each line, and what it has in common with which person of its provider.

    `named` is what to write after the number of a line, as `ReportOrigin` returns it.
    """
    return [
        f"Line {each.line}{named.get(each.line, '')}: {_describe(each)}"
        for each in found
        if each.is_own
    ]


def _describe(found: PossibleDuplicate) -> str:
    other = f"line {found.other_line}"
    if found.upload is not None:
        other += f" of the upload {found.upload}"
    return _WORDS[found.likeness].format(other=other)
