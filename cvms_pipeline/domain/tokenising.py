"""From text to records: delimiter, quotation marks, true line numbers.

The rules are those of Python's `csv` module (a quotation mark counts only where
a cell begins, and is doubled inside quotes), with one difference: a record whose
quoting is broken costs its first physical line and nothing else.  What a record
means is `reading`.

All work is linear in the length of the text, also where quotes are opened on
every line and closed on none: what becomes of a line that begins inside quotes
is found out once.
"""

import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cvms_pipeline.domain import cleaning

DELIMITERS = (",", ";", "\t")
"""What may stand between cells; the earlier one wins a tie."""

_QUOTED = re.compile('"[^"]*"')
_EMPTY = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH
_WHOLE, _OPEN, _BROKEN = "whole", "open", "broken"


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        line: The row number that a spreadsheet shows, from 1.
        cells: What stands in the row, quotation marks resolved.
        is_broken: Whether the quotation marks made no sense; `cells` are then
            those of the first physical line, quotation marks and all.
    """

    line: int
    cells: list[str]
    is_broken: bool


def split_lines(text: str) -> list[str]:
    """Return the physical lines of `text`, each with its CRLF, LF or CR."""
    return list(io.StringIO(text, newline=""))


def find_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that the header holds most of, outside quotes."""
    nothing = _EMPTY + "".join(DELIMITERS) + '"'
    first = next((i for i, line in enumerate(lines) if line.strip(nothing)), None)
    if first is None:  # nothing but separators: of them, most
        return max(DELIMITERS, key="".join(lines).count)
    header, quotes = [], 0
    for line in lines[first:]:
        header.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            break
    else:
        header = header[:1]
    outside = _QUOTED.sub("", "".join(header))
    return max(DELIMITERS, key=outside.count)


def records(lines: Sequence[str], delimiter: str) -> Iterator[Record]:
    """Yield the records of `lines` that are not blank, in order.

    Blank records, in which no cell holds anything but white space, count as
    lines and are left out.
    """
    quotes = _Quotes(lines, delimiter)
    nothing = _EMPTY + delimiter
    number, at = 0, 0
    while at < len(lines):
        line = lines[at]
        number += 1
        if '"' in line:
            cells, at, is_broken = quotes.record(at)
            if not cleaning.is_blank("".join(cells)):
                yield Record(number, cells, is_broken)
            continue
        at += 1
        if line.strip(nothing):
            yield Record(number, line.rstrip("\r\n").split(delimiter), False)


class _Quotes:
    """Reads the records that hold quotation marks."""

    def __init__(self, lines: Sequence[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._ends: dict[int, int] = {}

    def record(self, first: int) -> tuple[list[str], int, bool]:
        """Return the cells of the record at the line of index `first`.

        And the index of the line after it, and whether its quoting is broken.
        """
        body = self._lines[first].rstrip("\r\n")
        cells, state = _scan(body, self._delimiter)
        if state is _WHOLE:
            return cells, first + 1, False
        after = self._record_end(first + 1) if state is _OPEN else 0
        if not after:
            return body.split(self._delimiter), first + 1, True
        whole = "".join(self._lines[first:after]).rstrip("\r\n")
        return _scan(whole, self._delimiter)[0], after, False

    def _record_end(self, line: int) -> int:
        """Return the index of the line after a record that is open at `line`.

        It is 0 where the record's quoting is broken.  What each line passed ends
        in is remembered, so that no line is walked twice.
        """
        passed = []
        while line < len(self._lines) and line not in self._ends:
            passed.append(line)
            state = self._state(line)
            if state is not _OPEN:
                self._ends[line] = line + 1 if state is _WHOLE else 0
                break
            line += 1
        end = self._ends.get(line, 0)
        self._ends.update(dict.fromkeys(passed, end))
        return end

    def _state(self, line: int) -> str:
        text = self._lines[line]
        if '"' not in text:
            return _OPEN
        return _scan('"' + text.rstrip("\r\n"), self._delimiter)[1]


def _scan(text: str, delimiter: str) -> tuple[list[str], str]:
    """Return the cells of `text`, and whether they are whole, open or broken."""
    cells: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            close = _closing_quote(text, at + 1)
            if close < 0:
                return cells, _OPEN
            cells.append(text[at + 1 : close].replace('""', '"'))
            at = close + 1
        else:
            end = text.find(delimiter, at)
            end = len(text) if end < 0 else end
            cells.append(text[at:end])
            at = end
        if at == len(text):
            return cells, _WHOLE
        if text[at] != delimiter:
            return cells, _BROKEN
        at += 1


def _closing_quote(text: str, at: int) -> int:
    """Return where the quote that was opened before `at` closes, or -1."""
    while True:
        at = text.find('"', at)
        if at < 0 or not text.startswith('"', at + 1):
            return at
        at += 2
