"""What is probably wrong with a first row that does not name the columns.

Only words for the refusal are made of it; nothing is read in another way.  How a header
is matched is in `columns`, the refusal in `refusals`.
"""

import collections
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.reading import records
from cvms_pipeline.domain.text import display, normalise
from cvms_pipeline.domain.vocabulary import columns

_MAX_SEARCHED = 50
"""A header is searched for in so many rows below the first."""

_MAX_TEXT = 500  # characters of a row that are searched
_MAX_CELLS = 100
_MAX_SHOWN = 120
_MAX_SEPARATORS = 8
_MIN_FOUND = 2
"""A single column may be named by chance, in a title or in data."""

_EMAIL = re.compile(r"[^\s@]@[^\s@]+\.\w")
_DATE = re.compile(r"(?<!\d)\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?!\d)")
_MIN_CELLS = 3
"""A row with a date and so many cells looks like data."""

_CONTROLS = frozenset(map(chr, (*range(1, 9), *range(14, 32))))
_SURROUNDING = re.compile(f"[{normalise.BLANK}\"']+")
_SPACES = {
    "  ": re.compile(f"[{normalise.BLANK}]{{2,}}"),
    " ": re.compile(f"[{normalise.BLANK}]+"),
}
_SAVE = 'save it as "CSV UTF-8 (Comma delimited)"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is wrong with the first row (None: in general words), and what to do."""

    sentence: str | None = None
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Cells that a row would have with another separator, and the columns in them."""

    separator: str
    found: int
    lacking: tuple[str, ...]


def advise(
    cells: Sequence[str], delimiter: str, following: Iterable[records.Record]
) -> Advice | None:
    """Return advice on a first row that does not name all columns, if there is any.

    Args:
        cells: The cells of the first row, as they were written.
        delimiter: By which they were separated.
        following: The records below the first row; only some of them are read.
    """
    as_read = _read(cells, delimiter)
    best = _find_best(cells, delimiter)
    if best.found >= _MIN_FOUND and best.found > as_read.found:
        return _advise_separator(cells, delimiter, best.separator)
    rows = itertools.islice(following, _MAX_SEARCHED)
    below = [(line, _find_best(row, delimiter)) for line, row, _ in rows]
    line, header = max(below, key=lambda found: found[1].found, default=(0, as_read))
    if header.found >= _MIN_FOUND and header.found > as_read.found:
        return _advise_title(line, header.lacking)
    if as_read.found < _MIN_FOUND and _looks_like_data(cells):
        return _ADD_HEADER
    return None


_ADD_HEADER = Advice(
    sentence="The file has no header line: its first row looks like data.",
    remedy=(
        "Insert a row above it that names the columns in their order, such as:"
        f" {','.join(columns.TEMPLATE_HEADER)}"
    ),
)


def _advise_title(line: int, lacking: tuple[str, ...]) -> Advice:
    labels = ", ".join(columns.LABELS[name] for name in lacking)
    lacks = f", but lacks {labels}" if lacking else ""
    adds = f" and add {labels}" if lacking else ""
    return Advice(
        remedy=f"Line {line} looks like the header{lacks}: delete the lines above"
        f" it{adds}."
    )


def _advise_separator(cells: Sequence[str], delimiter: str, separator: str) -> Advice:
    row = _show(delimiter.join(cells).strip(delimiter))
    if separator in records.DELIMITERS:
        marks = "quotation marks surround the whole line"
        because = f", because {marks}" if separator == delimiter else ""
        return Advice(
            sentence=f"The whole first row is in one cell (column A){because}: {row}.",
            remedy="Open the file in Excel, select column A, choose Data > Text to"
            f" Columns > Delimited > {_NAMES[separator]}, and {_SAVE}.",
        )
    if separator in _SPACES:
        return Advice(
            sentence=f"The columns are separated by spaces: {row}.",
            remedy="Separate them by commas: in Excel, choose Data > From Text/CSV >"
            f" Fixed Width, open the file, and {_SAVE}.",
        )
    sign = display.escape_unprintable(separator)
    return Advice(
        sentence=f'The columns are separated by "{sign}", not by a comma, semicolon or'
        f" tab: {row}.",
        remedy=f'Replace each "{sign}" between columns by a comma, and upload the file'
        " again.",
    )


_NAMES = {",": "Comma", ";": "Semicolon", "\t": "Tab"}


def _show(row: str) -> str:
    """Return a row as one line of printable characters; runs of spaces are kept."""
    spaced = "".join(" " if _is_space(char) else char for char in row[:_MAX_TEXT])
    return display.escape_unprintable(display.shorten(spaced, _MAX_SHOWN))


def _is_space(char: str) -> bool:
    return char not in _CONTROLS and normalise.is_blank(char)


def _may_separate(char: str) -> bool:
    is_sign = not (char.isalnum() or _SURROUNDING.match(char))
    return is_sign or char in _CONTROLS


def _find_best(cells: Sequence[str], delimiter: str) -> _Reading:
    """Return the reading of a row in which most columns are found; as it is first."""
    return max(_list_readings(cells, delimiter), key=lambda reading: reading.found)


def _list_readings(cells: Sequence[str], delimiter: str) -> Iterator[_Reading]:
    yield _read(cells, delimiter)
    filled = [cell for cell in cells[:_MAX_CELLS] if not normalise.is_blank(cell)]
    row = delimiter.join(filled)[:_MAX_TEXT]
    others = collections.Counter(filter(_may_separate, row))
    signs = [sign for sign, _ in others.most_common(_MAX_SEPARATORS)]
    known = records.DELIMITERS if len(filled) == 1 else ()
    for sign in [*known, *(sign for sign in signs if sign not in records.DELIMITERS)]:
        yield _read(row.split(sign), sign)
    if len(filled) == 1:
        for separator, pattern in _SPACES.items():
            yield _read(pattern.split(row), separator)


def _read(cells: Sequence[str], separator: str) -> _Reading:
    bare = [_strip(cell) for cell in cells[:_MAX_CELLS]]
    lacking = columns.match_header(bare).missing
    found = len(columns.REQUIRED) - len(lacking)
    return _Reading(separator=separator, found=found, lacking=lacking)


def _strip(cell: str) -> str:
    """Return a cell without the quotation marks and white space around it."""
    start = _SURROUNDING.match(cell)
    inner = cell[start.end() :] if start else cell
    return normalise.strip_end(inner).rstrip("\"'")


def _looks_like_data(cells: Sequence[str]) -> bool:
    """Return whether a row has an e-mail address, or a date among some cells."""
    row = "\n".join(cells[:_MAX_CELLS])[:_MAX_TEXT]
    is_wide = sum(1 for cell in cells[:_MAX_CELLS] if cell.strip()) >= _MIN_CELLS
    return bool(_EMAIL.search(row) or (is_wide and _DATE.search(row)))
