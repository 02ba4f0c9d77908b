"""From the records of a text to columns: the cells that are wanted, and rows' shapes.

Nearly every file is without quotation marks, and its rows are taken all at once, in a
quarter of the time; the others record by record.  What a record is, `tokenising` knows;
what the shapes mean, `reading`.
"""

import itertools
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain import cleaning, columns, tokenising

COUNTED = 100_000
"""Rows beyond this many are not counted any more: the file is refused anyway."""

_NOTHING = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH + "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The first rows beneath a usable header, and how many there are.

    Attributes:
        lines: The row number of each, as a spreadsheet shows it.
        columns: For each of `columns.REQUIRED`, each row's cell; empty where a row
            is too short.
        widths: The number of each row's cells; those beyond the header count only if
            one of them holds something.
        is_broken: Whether the quotation marks of a row made no sense.
        count: How many rows there are, taken or not; at most one beyond `COUNTED`.
    """

    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    widths: Sequence[int]
    is_broken: Sequence[bool]
    count: int


_NONE = Taken(
    lines=(), columns=((),) * len(columns.REQUIRED), widths=(), is_broken=(), count=0
)


def take(text: str, delimiter: str, *, most: int) -> tuple[columns.Header, Taken]:
    """Return the header of `text`, and up to `most` of its rows."""
    plain = tokenising.plain_records(text, delimiter)
    if plain is None:
        records = tokenising.records(text, delimiter)
        header = columns.match(next((record.cells for record in records), []))
        return header, _one_by_one(records, header, most)
    lines, rows = plain
    header = columns.match(rows[0] if rows else [])
    return header, _at_once(lines[1:], rows[1:], header, most)


def _at_once(
    lines: list[int], rows: list[list[str]], header: columns.Header, most: int
) -> Taken:
    if not rows or _is_unusable(header):
        return _NONE
    count = min(len(rows), COUNTED + 1)
    lines, rows = lines[:most], rows[:most]
    wanted, widest = _positions(header), len(header.found)
    enough = max(wanted) + 1
    widths = list(map(len, rows))
    if min(widths) < enough:
        rows = [row + [""] * (enough - len(row)) for row in rows]
    if max(widths) > widest:
        widths = [
            _filled(row, widest) if width > widest else width
            for row, width in zip(rows, widths, strict=True)
        ]
    return Taken(
        lines=lines,
        columns=[[row[position] for row in rows] for position in wanted],
        widths=widths,
        is_broken=[False] * len(rows),
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
        lines=lines,
        columns=list(zip(*cells_of, strict=True)),
        widths=widths,
        is_broken=broken,
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
