"""The four columns, and how a header is matched to them.

Names, labels, aliases and the two headers that we write ourselves.  What is in
the cells below is `reading` and `schema`.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain import cleaning

FIRST_NAME = "first_name"
LAST_NAME = "last_name"
BIRTH_DATE = "birth_date"
EMAIL = "email"

REQUIRED: tuple[str, ...] = (FIRST_NAME, LAST_NAME, BIRTH_DATE, EMAIL)
"""Every column, in the order of messages and reports."""

LABELS: Mapping[str, str] = {
    FIRST_NAME: "FirstName",
    LAST_NAME: "LastName",
    BIRTH_DATE: "Date of birth",
    EMAIL: "Email",
}
"""What the columns are called in messages."""

TEMPLATE_HEADER = ("First name", "Last name", "Date of birth", "Email")
REPORT_HEADER = (*LABELS.values(), "Error")

ALIASES: Mapping[str, tuple[str, ...]] = {
    FIRST_NAME: ("First name", "Given name", "recip_first_name"),
    LAST_NAME: ("Last name", "Surname", "Family name", "recip_last_name"),
    BIRTH_DATE: ("Date of birth", "DOB", "Birth date", "recip_dob"),
    EMAIL: ("Email", "E-mail", "Email address", "recip_email"),
}
"""What a header may call them; case, spaces, `_`, `-` and `.` do not count."""

MAX_NAME_LENGTH = 100
"""As much of a header's cell is shown and kept, in characters."""

MAX_IGNORED = 100
"""As many unknown columns are named; what comes beyond is `AND_MORE`."""

AND_MORE = cleaning.ELLIPSIS

_UNCOUNTED = str.maketrans("", "", " _-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a header row says.

    Attributes:
        positions: Where each column stands, counted from 0; the first place if
            it stands in several.
        missing: The columns that were not found.
        repeated: The columns that were found more than once.
        ignored: Named cells that no column of ours matches, in order; `AND_MORE`
            in the place of all beyond `MAX_IGNORED`.
        found: All cells, cleaned, and cut beyond `MAX_NAME_LENGTH`.
    """

    positions: Mapping[str, int]
    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    ignored: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def width(self) -> int:
        """Return the number of cells without the empty ones at the end."""
        return max((i for i, cell in enumerate(self.found, start=1) if cell), default=0)


def _folded(cell: str) -> str:
    return cleaning.clean_text(cell).casefold().translate(_UNCOUNTED)


_COLUMNS = {_folded(alias): name for name, all_ in ALIASES.items() for alias in all_}
_OWN = _folded(REPORT_HEADER[-1])


def match(cells: Sequence[str]) -> Header:
    """Return which of `cells`, the header row as it was written, is which column."""
    found = tuple(
        cleaning.shortened(cleaning.clean_text(c), MAX_NAME_LENGTH) for c in cells
    )
    folded = [_folded(cell) for cell in found]
    known = [_COLUMNS.get(cell, "") for cell in folded]
    return Header(
        positions={c: known.index(c) for c in REQUIRED if c in known},
        missing=tuple(c for c in REQUIRED if c not in known),
        repeated=tuple(c for c in REQUIRED if known.count(c) > 1),
        ignored=_first(
            cell
            for cell, column, fold in zip(found, known, folded, strict=True)
            if cell and not column and fold != _OWN
        ),
        found=found,
    )


def _first(names: Iterator[str]) -> tuple[str, ...]:
    named = tuple(itertools.islice(names, MAX_IGNORED))
    return named if next(names, None) is None else (*named, AND_MORE)
