"""Quotation marks: where a record that holds some ends, and what its cells are.

The patterns are here, and what keeps them linear in time and small in memory.  They
give nothing back once they have matched, so none is tried twice in one place; and
what was found out about quotes that are broken far below is remembered, however many
lines open one.  What may be long is matched piece by piece.  Which record is which
line is `tokenising`.
"""

import re

from cvms_pipeline.domain import cleaning

_SOME = 10_000
"""How often a group repeats in one go: what a match holds grows with its length."""


def _kept(pattern: str, times: str = f"{{0,{_SOME}}}") -> str:
    """Return the pattern of `pattern` some times, which gives nothing back.

    An atomic group.  A possessive one (`*+`) loses its place before Python 3.11.5
    (gh-106052), unless it is a single character that repeats.
    """
    return f"(?>(?:{pattern}){times})"


_QUOTED = re.compile('"[^"]*+"')
_INSIDE = re.compile('[^"]*+' + _kept('""[^"]*+'))
_MORE_IN_LINE = _kept('"[^"]*+"[^"\r\n]*+', "*")
_TO_LINE_END = re.compile(f'[^"\r\n]*+{_MORE_IN_LINE}(?=[\r\n]|\\Z)')
_FIRST_LINE = re.compile("[^\r\n]*+")
_BLANK = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH
_BLANK_IN_LINE = _BLANK.replace("\r", "").replace("\n", "")

_BLOCK = 2_048
"""How many characters apart it is remembered that quotes are broken below."""


def line_start(text: str, at: int, start: int = 0) -> int:
    """Return where the physical line with the character `at` begins, from `start`."""
    return max(text.rfind("\n", start, at), text.rfind("\r", start, at), start - 1) + 1


def outside_quotes(text: str, start: int, end: int) -> str:
    """Return what stands outside quotes in the row that begins at `start`.

    Nothing behind `end` is looked at.  Where the quotes do not close again, it is
    the first physical line that counts.
    """
    row = _TO_LINE_END.match(text, start, end) or _FIRST_LINE.match(text, start, end)
    return _QUOTED.sub("", row.group()) if row else ""


def _closing(text: str, at: int, end: int) -> int:
    """Return where the quotation mark stands that ends what begins at `at`.

    It is `end` where none does.
    """
    is_more = True
    while is_more:
        inside = _INSIDE.match(text, at, end)
        at = inside.end() if inside else end
        is_more = text.startswith('""', at, end)
    return at


def _breaks(text: str, start: int, end: int) -> int:
    """Return the number of line breaks, of which CRLF is one."""
    both = text.count("\r\n", start, end)
    return text.count("\n", start, end) + text.count("\r", start, end) - both


class Quotes:
    """Reads records that hold quotation marks out of one text."""

    def __init__(self, text: str, delimiter: str) -> None:
        """Take the whole text; no work is done yet."""
        self.delimiter = delimiter
        self._text = text
        plain = f"[^{delimiter}\r\n]*+"
        quoted = f'"{_INSIDE.pattern}"'
        self._plain = re.compile(plain)
        self._cells = re.compile(_kept(f'(?:{quoted}|(?!"){plain}){delimiter}', "*"))
        self._ends = ("", delimiter, "\r", "\n")
        self._broken: set[int] = set()
        self._between = f'"{delimiter}"'

    def all_quoted(self, body: str, limit: int) -> list[str]:
        """Return the cells of a line of which each is in quotes and holds none.

        Nothing for every other line; as `cells` returns them, in a third of the time.
        """
        inside, between = body[1:-1], self._between
        is_framed = body[:1] == body[-1:] == '"' and len(body) > 1
        if is_framed and inside.count('"') == 2 * inside.count(between):
            return inside.split(between, limit)
        return []

    def record_end(self, at: int) -> int:
        """Return where the record ends that begins at `at`, its line break excluded.

        It is 0 where the record's quoting is broken.
        """
        passed = []
        while True:
            edge = (at // _BLOCK + 1) * _BLOCK
            cells = self._cells.match(self._text, at, edge)
            at = cells.end() if cells else at
            if at in self._broken:
                break
            passed.append(at)
            at = self._cell_end(at)
            if at < 0:
                break
            if not self._text.startswith(self.delimiter, at):
                return at
            at += 1
        self._broken.update(passed)
        return 0

    def _cell_end(self, at: int) -> int:
        """Return where the cell ends that begins at `at`, -1 where that is broken."""
        text = self._text
        if not text.startswith('"', at):
            plain = self._plain.match(text, at)
            return plain.end() if plain else at
        end = _closing(text, at + 1, len(text)) + 1
        is_closed = end <= len(text) and text[end : end + 1] in self._ends
        return end if is_closed else -1

    def next_line(self, end: int) -> int:
        """Return where the line after a record begins that ends at `end`."""
        if self._text.startswith("\r\n", end):
            return end + 2
        return min(end + 1, len(self._text))

    def cells(self, at: int, end: int, limit: int) -> list[str]:
        """Return the cells of the whole record from `at` to `end`.

        Up to `limit`, and all that stands behind them, as it is written, as one.
        """
        text = self._text
        cells: list[str] = []
        while len(cells) < limit:
            if text.startswith('"', at):
                close = _closing(text, at + 1, end)
                cells.append(text[at + 1 : close].replace('""', '"'))
                at = close + 1
            else:
                close = text.find(self.delimiter, at, end)
                close = end if close < 0 else close
                cells.append(text[at:close])
                at = close
            if at >= end:
                return cells
            at += 1
        return [*cells, text[at:end]]


class Blanks:
    """Passes over the blank records of one text."""

    def __init__(self, text: str, delimiter: str) -> None:
        """Take the whole text; no work is done yet."""
        self._text = text
        self._other = re.compile(f"[^{_BLANK}{delimiter}]")
        blank = _BLANK_IN_LINE.replace(delimiter, "")
        cell = f'(?:"[{_BLANK}]*+"|[{blank}]*+)'
        line_end = f"{cell}(?:\r\n?+|\n)"
        cells = _kept(cell + delimiter)
        self._cells = re.compile(cells)
        self._last = re.compile(line_end)
        self._records = re.compile(_kept(cells + line_end))

    def _records_end(self, at: int) -> int:
        """Return where some blank records end that begin at `at`, if any do."""
        some = self._records.match(self._text, at)
        if some and some.end() > at:
            return some.end()
        end, before = at, -1
        while end != before:
            before = end
            cells = self._cells.match(self._text, end)
            end = cells.end() if cells else end
        last = self._last.match(self._text, end)
        return last.end() if last else at

    def passed(self, start: int) -> tuple[int, int]:
        """Return how many blank records begin at the line start `start`.

        And where the line after them begins.  A blank record at the very end of the
        text, without a line break, is none of them.
        """
        count, at, before = 0, start, -1
        while at != before:
            before = at
            other = self._other.search(self._text, at)
            end = other.start() if other else len(self._text)
            after = line_start(self._text, end, at)
            count += _breaks(self._text, at, after)
            at = after
            if self._text.startswith('"', end):
                after = self._records_end(at)
                outside = _QUOTED.sub('"', self._text[at:after])
                count += _breaks(outside, 0, len(outside))
                at = after
        return count, at
