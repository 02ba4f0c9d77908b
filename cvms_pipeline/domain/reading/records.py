"""From a text to its records: delimiter, cells, line numbers.

Python's `csv` module defines what a record is, with two differences: of a record with
broken quotation marks only the first physical line is skipped, and reading continues in
the next line; rows that quotation marks join are separated again.  What the cells of a
record mean is decided in `reader`.

The time is linear in the length of the text, and one record is in memory at a time.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cvms_pipeline.domain.text import display, normalise
from cvms_pipeline.domain.vocabulary import columns

DELIMITERS = (",", ";", "\t")
"""The characters that can separate cells; of equally frequent ones, the first."""

MAX_DELIMITERS = 200_000
"""In a row of more delimiters quotation marks count as broken, to save memory."""

_DECLARATION = re.compile(
    f'[{normalise.BLANK}]*"?sep=(?P<sign>[^"\r\n\\w ])"?'
    f"[{normalise.BLANK},;]*(?=[\r\n])",
    re.IGNORECASE,
)
"""A first line such as `sep=;`, by which Excel knows the delimiter of the others."""

_FILLED = re.compile(f'[^{normalise.BLANK}{"".join(DELIMITERS)}"]')
_QUOTED = re.compile('"[^"]*+"')
_HEADER = re.compile(
    '[^"\r\n]*+(?>(?:"[^"]*+"[^"\r\n]*+)*)(?=[\r\n]|\\Z)'  # if all quotes close
    "|[^\r\n]*+"  # else the first physical line
)
_BREAK = re.compile("[\r\n]+")
_MAX_HEADER = 1_000_000
"""The delimiter is searched for in these first characters of the header."""

_MAX_FIELD = 2**31 - 1
"""The limit of `csv`, 131,072 characters, is too low: longer cells are valid."""


Breach = bool | tuple[int, int]
"""Whether quotation marks are broken; or the first and the last line that they join."""

Record = tuple[int, list[str], Breach]
"""One row of a file: its line, its cells, and whether its quotation marks are broken.

The line is the row number that a spreadsheet shows, from 1.  The cells are texts, their
quotation marks resolved; beyond `columns.MAX_CELLS` there is one more, which represents
all that are not blank.  Of a broken row they are those of its first physical line,
quotation marks included.  A plain tuple: one with names takes 1 ms more for 5,000 rows.
"""


def find_delimiter(text: str) -> str:
    """Return the most frequent delimiter of the header, outside quotation marks.

    The sign that a first line `sep=` declares is the delimiter if the header has it.
    """
    declared = _DECLARATION.match(text)
    start = declared.end() if declared else 0
    filled = _FILLED.search(text, start)
    if filled is None:  # only delimiters
        return max(DELIMITERS, key=text.count)
    start = max(text.rfind(end, start, filled.start()) for end in "\r\n") + 1
    header = _HEADER.match(text, start, start + _MAX_HEADER)
    outside = _QUOTED.sub("", header.group()) if header else ""
    if declared and declared["sign"] in outside:
        return declared["sign"]
    return max(DELIMITERS, key=outside.count)


def read_records(text: str, delimiter: str) -> Iterator[Record]:
    """Return the records of `text` that are not blank, in order.

    A blank record has no cell with anything but white space; it counts as a line, and
    so does a first line `sep=`, which is no record.
    """
    found = iter(_Source(text, delimiter))
    if _DECLARATION.match(text):
        next(found, None)
    return found


def _shorten(cells: list[str], delimiter: str) -> None:
    """Replace the cells beyond the maximum by an ellipsis, or remove blank ones."""
    beyond = delimiter.join(cells[columns.MAX_CELLS :])
    del cells[columns.MAX_CELLS :]
    if not normalise.is_blank(beyond.replace(delimiter, "")):
        cells.append(display.ELLIPSIS)


class _Source:
    """The records of a text, which may be iterated over once."""

    def __init__(self, text: str, delimiter: str) -> None:
        csv.field_size_limit(_MAX_FIELD)  # holds for the whole process
        self._text = text
        self._delimiter = delimiter
        self._blank_lines = re.compile(
            f"[{normalise.BLANK}{re.escape(delimiter)}]*[\r\n]"
        )
        self._lines = io.StringIO(text, newline="")  # ends lines at LF, CR and CRLF
        self._has_quotes = '"' in text
        self._has_wide_records = text.count(delimiter) > MAX_DELIMITERS
        self._delimiters = 0  # of the record that is being read
        self._searched_end = 0
        self._header: columns.Header | None = None
        self._is_declared = _DECLARATION.match(text) is not None
        self._joined = 0  # the lines left of those that quotation marks join
        self._breach: Breach = False
        self._records = self._open()
        self._lines_read = 0  # by `_records`

    def __iter__(self) -> Iterator[Record]:
        line = 0
        while True:
            line += 1
            try:
                cells, breach = self._read(line)
            except StopIteration:
                return
            if len(cells) > columns.MAX_CELLS:
                _shorten(cells, self._delimiter)
            is_usual = bool(cells) and cells[0][:1].isalnum()  # at once
            if is_usual or not normalise.is_blank("".join(cells)):
                if self._header is None:
                    self._match_header(cells)
                yield line, cells, breach
            elif not self._joined:
                line += self._skip_blank_lines()

    def _read(self, line: int) -> tuple[list[str], Breach]:
        """Return the cells of the record at `line`, and how its quotes are broken."""
        if self._joined:
            self._joined -= 1
            return self._split_line(), self._breach
        if not (self._has_quotes or self._has_wide_records):
            return next(self._records), False  # each line is a record, and sound
        start = self._lines.tell()
        self._delimiters = 0
        try:
            if start < self._searched_end:
                cells = self._read_searched(start)
            else:
                cells = next(self._records)
        except csv.Error:
            cells = self._split_broken(start)
            return cells, any('"' in cell for cell in cells)
        before, self._lines_read = self._lines_read, self._records.line_num
        count = self._lines_read - before
        if count > 1 and self._joins_rows(cells):
            self._return_to(start)
            self._joined, self._breach = count, (line, line + count - 1)
            return self._read(line)
        return cells, False

    def _match_header(self, cells: list[str]) -> None:
        if not self._is_declared:
            self._header = columns.match_header(cells)
        self._is_declared = False

    def _joins_rows(self, cells: list[str]) -> bool:
        """Return whether quotation marks join several rows, as `cells` of one record.

        Then a known column holds a line break, and there are delimiters for as many
        rows as there are lines.  In a record that is too short to have all columns, it
        is enough that a cell holds line breaks and delimiters.
        """
        header = self._header
        if header is None or header.missing or header.is_report:
            return False
        places = header.positions.values()
        if len(cells) <= max(places):
            return any(self._delimiter in c and _BREAK.search(c) for c in cells)
        if not any(_BREAK.search(cells[place]) for place in places):
            return False
        lines = _BREAK.split(self._delimiter.join(cells))
        filled = sum(1 for line in lines if not normalise.is_blank(line))
        delimiters = sum(line.count(self._delimiter) for line in lines)
        return delimiters >= filled * (len(columns.REQUIRED) - 1)

    def _return_to(self, start: int) -> None:
        """Continue with the physical line at `start`."""
        self._lines.seek(start)
        self._records, self._lines_read = self._open(), 0

    def _split_line(self) -> list[str]:
        """Return the cells of the next physical line, quotation marks included."""
        line = self._lines.readline().rstrip("\r\n")
        return line.split(self._delimiter, columns.MAX_CELLS)

    def _split_broken(self, start: int) -> list[str]:
        """Return the cells of the first physical line of the record at `start`."""
        self._searched_end = max(self._searched_end, self._lines.tell())
        self._return_to(start)
        return self._split_line()

    def _read_searched(self, start: int) -> list[str]:
        """Return the record that begins at `start`, above the place of an error.

        The lines down to that place are known to break every record that is still open
        at their beginning: there, a record must end in its own line.  So no line is
        searched twice for a closing quotation mark, however many lines open one.
        """
        line = self._lines.readline()
        if self._lines.tell() < self._searched_end:
            found: list[str] = next(self._parse([line]))
            return found
        self._lines.seek(start)
        cells: list[str] = next(self._records)
        return cells

    def _open(self) -> Any:
        """Return the records from the current position on."""
        is_wide = self._has_wide_records
        return self._parse(self._narrow_lines() if is_wide else self._lines)

    def _narrow_lines(self) -> Iterator[str]:
        """Yield the lines from the current position on.

        A record of millions of cells is an error: each cell needs the memory of sixty
        characters.
        """
        for line in self._lines:
            self._delimiters += line.count(self._delimiter)
            if self._delimiters > MAX_DELIMITERS:
                raise csv.Error
            yield line

    def _parse(self, lines: Iterable[str]) -> Any:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _skip_blank_lines(self) -> int:
        """Skip the lines that hold only white space and delimiters; return how many.

        To read millions of them one by one takes seconds.
        """
        start = self._lines.tell()
        blank = self._blank_lines.match(self._text, start)
        if blank is None:
            return 0
        self._lines.seek(blank.end())
        skipped = blank.group()
        return skipped.count("\n") + skipped.count("\r") - skipped.count("\r\n")
