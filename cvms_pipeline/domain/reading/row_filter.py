"""Which records of a file are rows: those that hold anything about a recipient.

Left out are rows that are empty in the columns of the upload, and those that a dragged
formula has left.  The records are read in `records`; what is wrong with the shape of a
row is decided in `reader`.
"""

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cvms_pipeline.domain.reading import records
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.vocabulary import columns, wording

MIN_REPEATED = 10
"""So many rows with the same single value are what a dragged formula has left."""

_MAX_VALUES = 1_000
"""Rows with other single values are not held back, to save memory."""

Row = tuple[int, Sequence[str], list[str], records.Breach]
"""A row: its line, the cells of the known columns, all its cells, its quotation marks.

The cells of the known columns are in the order of the header's `positions`, and empty
where the row is too short.
"""


@dataclass(slots=True)
class _Repeated:
    """The rows that hold one and the same value, in one and the same column."""

    count: int = 0
    last_line: int = 0
    rows: list[Row] = field(default_factory=list)  # the first ones


@dataclass(slots=True)
class RowFilter:
    """The rows among `found`, which may be iterated over once.

    Each row of an error report is one: it was rejected, and must not be lost.

    Rows that repeat a single value come last, and are `remarks` if they are many.

    Attributes:
        found: The records below the header.
        header: The header, in which no column is missing.
        remarks: What was left out, as sentences; complete when the iteration has ended.
    """

    found: Iterator[records.Record]
    header: columns.Header
    remarks: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in order of line; those that were held back at the end."""
        width = len(self.header.found)
        pick = operator.itemgetter(*self.header.positions.values())
        missing_cells = [""] * width
        is_report, least = self.header.is_report, self._least
        repeated: dict[tuple[int, str], _Repeated] = {}
        for line, cells, breach in self.found:
            picked = pick(cells if len(cells) >= width else cells + missing_cells)
            row = line, picked, cells, breach
            is_usual = picked[0][:1].isalnum() and picked[1][:1].isalnum()
            if is_usual or breach or is_report:
                yield row
                continue
            places = [i for i, c in enumerate(picked) if not normalise.is_blank(c)]
            is_beyond = not normalise.is_blank("".join(cells[width:]))
            if is_beyond or len(places) > 1 or len(cells) < least:
                if is_beyond or places:
                    yield row
            elif places:
                yield from self._hold_back(
                    repeated, (places[0], picked[places[0]]), row
                )
        yield from self._release(repeated)

    @property
    def _least(self) -> int:
        """Return the fewest cells that reach every required column."""
        return max(self.header.positions[name] for name in columns.REQUIRED) + 1

    def _hold_back(
        self,
        repeated: dict[tuple[int, str], _Repeated],
        value: tuple[int, str],
        row: Row,
    ) -> Iterator[Row]:
        """Keep a row with a single value; yield it if there are too many values."""
        if value not in repeated and len(repeated) >= _MAX_VALUES:
            yield row
            return
        same = repeated.setdefault(value, _Repeated())
        same.count, same.last_line = same.count + 1, row[0]
        if same.count < MIN_REPEATED:
            same.rows.append(row)
        elif same.count == MIN_REPEATED:
            del same.rows[1:]

    def _release(self, repeated: dict[tuple[int, str], _Repeated]) -> Iterator[Row]:
        """Yield rows whose value is repeated too little; remark on the others."""
        names = list(self.header.positions)
        for (place, value), same in repeated.items():
            if same.count < MIN_REPEATED:
                yield from same.rows
                continue
            lines = same.rows[0][0], same.last_line
            remark = wording.describe_repeated(same.count, lines, names[place], value)
            self.remarks.append(remark)
