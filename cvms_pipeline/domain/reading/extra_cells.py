"""Cells of a row that are in no known column, so that the error report loses none.

Which they are, whether a row of an error report is still as it was written there, and
whether a delimiter within a name has made a cell too many.  What is wrong with the
shape of a row is decided in `reader`.
"""

import json
import re
from collections.abc import Sequence

from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.vocabulary import columns, wording

_MAX_CELLS = columns.MAX_CELLS - len(columns.REPORT_HEADER)
_NAMES = (columns.FIRST_NAME, columns.LAST_NAME)
_MARKS = re.compile(r"[\s.,;]+")
_DATE = re.compile(r"\s*\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\s*")
_SUFFIX = re.compile(
    r"\s*(?:[js]r|[js]nr|i{2,3}|iv|esq|m\.?d|ph\.?d|r\.?n|d\.?o|dds|cpa)\.?\s*",
    re.IGNORECASE,
)
"""What follows a name, and is often written after a comma."""


def count_filled(cells: Sequence[str], least: int) -> int:
    """Return the number of `cells`, of which blank ones at the end do not count.

    The first `least` cells always count.
    """
    if len(cells) <= least:
        return len(cells)
    beyond = normalise.strip_end("\0".join(cells[least:]))  # NUL counts as blank
    return least + beyond.count("\0") + 1 if beyond else least


def list_extra(cells: Sequence[str], header: columns.Header) -> list[str]:
    """Return the cells of a row that are in no known column, in their order.

    Without the blank ones at the end.  In a row of an error report whose shape is right
    they are only those of the `Extra` columns, as `list_reported` returns them.
    """
    known = {*header.positions.values(), header.error_place}
    return _strip([cell for place, cell in enumerate(cells) if place not in known])


def list_reported(cells: Sequence[str], header: columns.Header) -> list[str]:
    """Return the cells of a row in the `Extra` columns of an error report."""
    return _strip([cells[p] for p in header.extra_places if p < len(cells)])


def get_error(cells: Sequence[str], header: columns.Header) -> str:
    """Return the cell of a row in the `Error` column, if there is one."""
    place = header.error_place
    return cells[place] if place is not None and place < len(cells) else ""


def pack(extra: Sequence[str]) -> str:
    """Return cells as one text, or an empty one without any."""
    return json.dumps(extra, ensure_ascii=False) if extra else ""


def is_unmoved(extra: Sequence[str], picked: Sequence[str]) -> bool:
    """Return whether nothing of the `extra` cells stands in a known column.

    Then a row with too many cells is still as the error report shows it.  Once one of
    them has been moved to where it belongs, the others are of no importance.

    Args:
        extra: The cells of a row in the `Extra` columns.
        picked: Its cells in the known columns.
    """
    moved = [f" {_fold(cell)} " for cell in picked]
    found = [cell for cell in map(_fold, extra) if cell]
    return bool(extra) and not any(f" {c} " in cell for c in found for cell in moved)


def describe_width(
    cells: Sequence[str], places: Sequence[int], expected: int, delimiter: str
) -> str:
    """Return the text for a row with a number of `cells` that is not `expected`.

    `places` are those of the known columns.
    """
    text = wording.describe_width(len(cells), expected)
    if len(cells) != expected + 1:
        return text
    parts = _find_split_name(cells, places)
    if parts is None:
        return text
    return text + wording.describe_split_name(parts, delimiter)


def _find_split_name(cells: Sequence[str], places: Sequence[int]) -> list[str] | None:
    """Return the two parts of a name that a delimiter within it has made two cells.

    An empty list if it is plain that there is one, but not which; None if it is not
    plain.

    Args:
        cells: A row with one cell too many.
        places: Where the four columns are: names, birth date and e-mail address.
    """
    possible = [p for p in places[: len(_NAMES)] if _fits(cells, places, p)]
    is_spaced = [cell[:1].isspace() and not cell.isspace() for cell in cells]
    plain = [
        place
        for place in possible
        if _SUFFIX.fullmatch(cells[place + 1])
        or (is_spaced[place + 1] and sum(is_spaced) == 1)
    ]
    if len(plain) == 1:
        return [cells[plain[0]].strip(), cells[plain[0] + 1].strip()]
    return [] if possible and not _looks_right(cells, places) else None


def _fits(cells: Sequence[str], places: Sequence[int], place: int) -> bool:
    """Return whether the row is right if the cell after `place` is part of it."""
    joined = [*cells[: place + 1], *cells[place + 2 :]]
    is_filled = bool(cells[place].strip() and cells[place + 1].strip())
    is_name = is_filled and not any(map(_is_no_name, cells[place : place + 2]))
    return is_name and _looks_right(joined, places)


def _looks_right(cells: Sequence[str], places: Sequence[int]) -> bool:
    """Return whether birth date and e-mail address stand where they belong."""
    birth_date, email = (cells[place] for place in places[len(_NAMES) :][:2])
    names = [cells[place] for place in places[: len(_NAMES)]]
    is_dated = _DATE.fullmatch(birth_date) is not None
    return is_dated and "@" in email and not any(map(_is_no_name, names))


def _is_no_name(cell: str) -> bool:
    return "@" in cell or any(map(str.isdigit, cell))


def _fold(cell: str) -> str:
    return _MARKS.sub(" ", normalise.clean_text(cell).casefold()).strip()


def _strip(cells: list[str]) -> list[str]:
    """Return `cells` without blank ones at the end, and no more than a report holds."""
    count = len(cells)
    while count and normalise.is_blank(cells[count - 1]):
        count -= 1
    return cells[: min(count, _MAX_CELLS)]
