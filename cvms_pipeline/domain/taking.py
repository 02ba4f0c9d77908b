"""From the records of a text to columns: the cells that are wanted, and rows' shapes.

A file without quotation marks, as nearly all are, is taken all at once (`plain`), the
others record by record (`tokenising`).  What the shapes mean, `reading` knows.
"""

import itertools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cvms_pipeline.domain import cleaning, columns, plain, strings, tokenising

COUNTED = 100_000
"""Rows beyond this many are not counted any more: the file is refused anyway."""

_NOTHING = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH + "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The first rows beneath a usable header, and how many there are.

    Attributes:
        lines: The row number of each, as a spreadsheet shows it (int64).
        columns: For each of `columns.REQUIRED`, each row's cell; empty where a row
            is too short.
        widths: The number of each row's cells (int64); those beyond the header count
            only if one of them holds something.
        is_broken: Whether the quotation marks of a row made no sense (bool).
        count: How many rows there are, taken or not; at most one beyond `COUNTED`.
    """

    lines: np.ndarray
    columns: Sequence[pa.LargeStringArray]
    widths: np.ndarray
    is_broken: np.ndarray
    count: int


_NONE = Taken(
    lines=np.zeros(0, dtype="int64"),
    columns=(strings.column([]),) * len(columns.REQUIRED),
    widths=np.zeros(0, dtype="int64"),
    is_broken=np.zeros(0, dtype=bool),
    count=0,
)


def take(text: str, delimiter: str, *, most: int) -> tuple[columns.Header, Taken]:
    """Return the header of `text`, and up to `most` of its rows."""
    found = plain.grid(text, delimiter)
    if found is None:
        records = tokenising.records(text, delimiter)
        header = columns.match(next((record.cells for record in records), []))
        return header, _one_by_one(records, header, most)
    header = columns.match(found.record(0) if len(found) else [])
    return header, _at_once(found, header, most)


def _at_once(found: plain.Grid, header: columns.Header, most: int) -> Taken:
    count = min(len(found) - 1, COUNTED + 1)
    rows = found.rows(1, most)
    if not len(rows) or _is_unusable(header):
        return _NONE
    widths, widest = rows.widths.copy(), len(header.found)
    for at in np.flatnonzero(widths > widest).tolist():
        widths[at] = _filled(rows.record(at), widest)
    return Taken(
        lines=rows.lines,
        columns=[rows.column(position) for position in _positions(header)],
        widths=widths,
        is_broken=np.zeros(len(rows), dtype=bool),
        count=count,
    )


def _one_by_one(
    records: Iterator[tokenising.Record], header: columns.Header, most: int
) -> Taken:
    if _is_unusable(header):
        return _NONE
    wanted, widest = _positions(header), len(header.found)
    enough, pick = max(wanted), operator.itemgetter(*wanted)
    rows = []
    for line, cells, is_broken in itertools.islice(records, most):
        width = len(cells)
        if width > enough:
            picked = pick(cells)
        else:
            picked = tuple(cells[p] if p < width else "" for p in wanted)
        if width > widest:
            width = _filled(cells, widest)
        rows.append((line, picked, width, is_broken))
    if not rows:
        return _NONE
    more = sum(1 for _ in itertools.islice(records, COUNTED + 1 - most))
    lines, cells_of, widths, broken = zip(*rows, strict=True)
    return Taken(
        lines=np.array(lines),
        columns=[strings.column(column) for column in zip(*cells_of, strict=True)],
        widths=np.array(widths),
        is_broken=np.array(broken),
        count=len(rows) + more,
    )


def _is_unusable(header: columns.Header) -> bool:
    return bool(header.missing or header.repeated)


def _positions(header: columns.Header) -> list[int]:
    return [header.positions[column] for column in columns.REQUIRED]


def _filled(cells: Sequence[str], width: int) -> int:
    """Return the number of `cells` up to the last that is not blank beyond `width`."""
    beyond = "\0".join(cells[width:]).rstrip(_NOTHING)
    return width + beyond.count("\0") + 1 if beyond else width
