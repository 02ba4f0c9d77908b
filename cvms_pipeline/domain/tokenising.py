"""From text to records: delimiter, cells, true line numbers.

The rules are those of Python's `csv` module (a quotation mark counts only where
a cell begins, and is doubled inside quotes), with one difference: a record whose
quoting is broken costs its first physical line and nothing else.  Where records
with quotation marks end is `quoting`; how records without any are made all at once
is `plain`; what a record means is `reading`.

All work is linear in the length of the text and none of it is kept: blank lines
are passed over many at a time, and a record's cells are those of a spreadsheet at
most.
"""

import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from cvms_pipeline.domain import cleaning, quoting

DELIMITERS = (",", ";", "\t")
"""What may stand between cells; the earlier one wins a tie."""

MAX_CELLS = 16_384
"""As many columns as a spreadsheet has; what stands beyond is not looked at."""

_EMPTY = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH
_SAYS_SOMETHING = re.compile(f'[^{_EMPTY}{"".join(DELIMITERS)}"]')
_AT_ONCE = 50_000
"""The characters of which at least the lines are made at once."""

_MAX_HEADER = 1_000_000
"""The characters of a header by which the delimiter is found."""


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        line: The row number that a spreadsheet shows, from 1.
        cells: What stands in the row, quotation marks resolved.  Beyond `MAX_CELLS`
            there is one more, which stands for all that are not blank.
        is_broken: Whether the quotation marks made no sense; `cells` are then
            those of the first physical line, quotation marks and all.
    """

    line: int
    cells: list[str]
    is_broken: bool


def find_delimiter(text: str) -> str:
    """Return the delimiter that the header holds most of, outside quotes."""
    said = _SAYS_SOMETHING.search(text)
    if said is None:  # nothing but separators: of them, most
        return max(DELIMITERS, key=text.count)
    start = quoting.line_start(text, said.start())
    header = quoting.outside_quotes(text, start, start + _MAX_HEADER)
    return max(DELIMITERS, key=header.count)


def records(text: str, delimiter: str) -> Iterator[Record]:
    """Yield the records of `text` that are not blank, in order.

    Blank records, in which no cell holds anything but white space, count as
    lines and are left out.
    """
    quotes = quoting.Quotes(text, delimiter)
    blanks = quoting.Blanks(text, delimiter)
    nothing = _EMPTY + delimiter
    number, at = 0, 0
    while at < len(text):
        start, lines = at, _lines(text, at)
        for line in lines:
            number += 1
            at += len(line)
            is_quoted, is_broken = '"' in line, False
            if is_quoted:
                cells, at, is_broken = _quoted(line, at, quotes)
                lines.seek(at - start)
            elif line.strip(nothing):
                cells = line.rstrip("\r\n").split(delimiter, MAX_CELLS)
            else:
                cells = []
            if len(cells) > MAX_CELLS:
                _shorten(cells, nothing)
            if cells and not (is_quoted and cleaning.is_blank("".join(cells))):
                yield Record(number, cells, is_broken)
            else:
                passed, at = blanks.passed(at)
                lines.seek(at - start)
                number += passed


def _lines(text: str, start: int) -> io.StringIO:
    """Return the physical lines from the line start `start` on, some of them.

    Not all, because four bytes are held for each character.
    """
    end, size = start, _AT_ONCE
    while end == start:
        size *= 2
        end = len(text)
        if start + size < end:
            end = quoting.line_start(text, start + size, start)
    is_amid_crlf = text.startswith("\r\n", end - 1)
    return io.StringIO(text[start : end + is_amid_crlf], newline="")


def _quoted(line: str, end: int, quotes: quoting.Quotes) -> tuple[list[str], int, bool]:
    """Return the cells of the record that begins with `line`, which ends at `end`.

    And where the line after the record begins, and whether its quoting is broken.
    """
    body = line.rstrip("\r\n")
    cells = quotes.all_quoted(body, MAX_CELLS)
    if cells:
        return cells, end, False
    start = end - len(line)
    close = quotes.record_end(start)
    if not close:
        return body.split(quotes.delimiter, MAX_CELLS), end, True
    return quotes.cells(start, close, MAX_CELLS), quotes.next_line(close), False


def _shorten(cells: list[str], nothing: str) -> None:
    """Put one sign in the place of the cells beyond the last; none if all are blank."""
    rest = cells.pop()
    if rest.strip(nothing + '"'):
        cells.append(cleaning.ELLIPSIS)
