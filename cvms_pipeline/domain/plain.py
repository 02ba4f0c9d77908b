"""From a text without quotation marks to cells, all at once.

Nearly every file is such a text.  Its records and cells are those that `tokenising`
would make one by one, in a tenth of the time: separators are found among the bytes,
and what stands between them is a column of Arrow's without being copied cell by cell.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain import cleaning, strings, tokenising

MAX_LENGTH = 1_000_000
"""The characters of a longer text are read record by record, in little memory."""

_NOTHING = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH
_BREAK = ord("\n")
_FOREIGN = 0x80
"""Bytes from here on are parts of characters that are not ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The records of a text that are not blank.

    Attributes:
        lines: The row number of each, as a spreadsheet shows it (int64).
        starts: Which of `cells` is the first of each (int64).
        widths: How many each has (int64).
        cells: The cells of all records of the text, one behind the other.
    """

    lines: np.ndarray
    starts: np.ndarray
    widths: np.ndarray
    cells: pa.LargeStringArray

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.lines)

    def record(self, at: int) -> list[str]:
        """Return the cells of one record."""
        cells: list[str] = self.cells.slice(
            self.starts[at], self.widths[at]
        ).to_pylist()
        return cells

    def rows(self, start: int, most: int) -> "Grid":
        """Return the records from `start` on, `most` at the most."""
        some = slice(start, start + most)
        return Grid(
            lines=self.lines[some],
            starts=self.starts[some],
            widths=self.widths[some],
            cells=self.cells,
        )

    def column(self, position: int) -> pa.LargeStringArray:
        """Return the cell in `position` of each record; empty where there is none."""
        at = self.starts + position
        is_there = self.widths > position
        if is_there.all():
            return self.cells.take(pa.array(at))
        found = self.cells.take(pa.array(at, mask=~is_there))
        return pc.fill_null(found, pa.scalar("", strings.KIND))


def grid(text: str, delimiter: str) -> Grid | None:
    """Return the records of `text`.

    None for a text with quotation marks, of absurd length or of absurd width.
    """
    if '"' in text or len(text) > MAX_LENGTH:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    data = np.frombuffer(lines.encode(), dtype="uint8")
    is_break = data == _BREAK
    is_between = is_break | (data == ord(delimiter))
    ends, breaks = np.flatnonzero(is_between), np.flatnonzero(is_break)
    last = np.searchsorted(ends, breaks)
    starts = np.append(0, last[:-1] + 1)
    cells = strings.between(ends - np.arange(ends.size), data[~is_between])
    filled = _filled(data, np.append(0, breaks + 1), delimiter)
    widths = (last - starts + 1)[filled]
    if widths.max(initial=0) > tokenising.MAX_CELLS:
        return None
    return Grid(lines=filled + 1, starts=starts[filled], widths=widths, cells=cells)


def _filled(data: np.ndarray, bounds: np.ndarray, delimiter: str) -> np.ndarray:
    """Return which lines, counted from 0, hold more than white space and delimiters.

    Args:
        data: The bytes of the text.
        bounds: Where each line begins, its break included, and the last one ends.
        delimiter: What stands between cells.
    """
    nothing = _NOTHING + delimiter
    says_something = np.array(
        [byte < _FOREIGN and chr(byte) not in nothing for byte in range(256)]
    )
    said = np.logical_or.reduceat(says_something[data], bounds[:-1])
    for at in np.flatnonzero(~said):
        line = bytes(data[bounds[at] : bounds[at + 1]])
        said[at] = bool(line.decode().strip(nothing))
    return np.flatnonzero(said)
