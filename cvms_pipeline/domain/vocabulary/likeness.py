"""Possible duplicates: a row that was loaded, and the person that it resembles.

Only the values; `matching.possible_duplicates` finds them.
"""

import enum
from collections.abc import Iterable, Mapping
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
