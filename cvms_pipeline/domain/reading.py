"""Reading: from an upload's bytes to a sheet of rows, or to a refusal.

Everything that concerns the file as a whole, and the shape of its rows.  Whether
the values are right is `schema`.
"""

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from cvms_pipeline.domain import (
    cleaning,
    columns,
    decoding,
    reasons,
    refusals,
    rejections,
    report,
    sheet,
    tokenising,
    upload,
    wording,
)

_COUNTED = 100_000
"""Rows beyond this many are not counted any more: the file is refused anyway."""

MAX_CELL_LENGTH = 32_767
"""As many characters as a spreadsheet's cell holds; longer ones are cut there."""

_NOTHING = cleaning.WHITE_SPACE + cleaning.ZERO_WIDTH + "\0"


def read(
    data: bytes, *, lane: upload.Lane, max_bytes: int = upload.MAX_BYTES
) -> sheet.Sheet:
    """Return the sheet that `data` holds, or an empty one with the refusal.

    Never raises for what the bytes are.  Rows of a wrong shape are already
    rejected, with the reason `row-cells`; no plan is made yet.
    """
    decoded = decoding.decode(data, max_bytes=max_bytes)
    if isinstance(decoded, reasons.Refusal):
        return empty_sheet(decoded)
    encoding, delimiter = decoded.encoding, tokenising.find_delimiter(decoded.text)
    header, rows, count = _taken(decoded.text, delimiter, lane.max_rows)
    del decoded  # four bytes a character, at worst
    refusal = _refusal(header, count, lane)
    found = empty_sheet(refusal) if refusal else _sheet(header, rows)
    return found.but(
        encoding=encoding, delimiter=delimiter, ignored_columns=header.ignored
    )


def empty_sheet(refusal: reasons.Refusal | None = None) -> sheet.Sheet:
    """Return a sheet without rows, refused for `refusal`."""
    nothing = _frame([], [[] for _ in columns.REQUIRED])
    return sheet.Sheet(
        refusal=refusal,
        cells=nothing,
        values=nothing,
        rejections=rejections.none(),
        plan=_no_plan(),
    )


class _Row(NamedTuple):
    """What is kept of a record: its line, the four cells, and its shape."""

    line: int
    cells: tuple[str, ...]
    width: int
    is_broken: bool


def _taken(
    text: str, delimiter: str, limit: int
) -> tuple[columns.Header, list[_Row], int]:
    """Return the header of `text`, up to `limit` rows, and how many there are."""
    records = tokenising.records(text, delimiter)
    header = columns.match(next((record.cells for record in records), []))
    return header, *_take(records, header, limit)


def _take(
    records: Iterator[tokenising.Record], header: columns.Header, limit: int
) -> tuple[list[_Row], int]:
    """Return up to `limit` rows, and how many there are beneath a usable header.

    A row's width is the number of its cells; those beyond the header count only if
    one of them holds something.
    """
    if header.missing or header.repeated:
        return [], 0
    positions = [header.positions[column] for column in columns.REQUIRED]
    enough, most = max(positions), len(header.found)
    pick = operator.itemgetter(*positions)
    rows: list[_Row] = []
    for line, cells, is_broken in itertools.islice(records, limit):
        count = len(cells)
        if count > enough:
            picked = pick(cells)
        else:
            picked = tuple(cells[p] if p < count else "" for p in positions)
        if count > most:
            count = _filled(cells, most)
        rows.append(_Row(line, picked, count, is_broken))
    more = itertools.islice(records, _COUNTED + 1 - limit)
    return rows, len(rows) + sum(1 for _ in more)


def _filled(cells: Sequence[str], width: int) -> int:
    """Return the number of `cells` up to the last that is not blank beyond `width`."""
    beyond = "\0".join(cells[width:]).rstrip(_NOTHING)
    return width + beyond.count("\0") + 1 if beyond else width


def _refusal(
    header: columns.Header, rows: int, lane: upload.Lane
) -> reasons.Refusal | None:
    if not header.found:
        return reasons.refusal(reasons.FILE_EMPTY)
    if header.missing:
        return refusals.header_missing(header)
    if header.repeated:
        return refusals.header_duplicate(header)
    if rows == 0:
        return reasons.refusal(reasons.FILE_EMPTY)
    if rows > lane.max_rows:
        return refusals.too_many_rows(rows, lane, at_least=rows > _COUNTED)
    return None


def _sheet(header: columns.Header, rows: Sequence[_Row]) -> sheet.Sheet:
    lines, picked, counts, is_broken = zip(*rows, strict=True)
    written = [_held(column) for column in zip(*picked, strict=True)]
    cells = _frame(lines, written).apply(report.unescape)
    misshapen = _misshapen(header, lines, np.array(counts), np.array(is_broken))
    return sheet.Sheet(
        cells=cells,
        values=cells.apply(cleaning.clean),
        rejections=rejections.join(rejections.of(reasons.ROW_CELLS, misshapen)),
        plan=_no_plan(),
    )


def _held(column: Sequence[str]) -> Sequence[str]:
    """Return the cells of a column, as much of each as is kept."""
    if max(map(len, column)) <= MAX_CELL_LENGTH:
        return column
    return [cleaning.shortened(cell, MAX_CELL_LENGTH) for cell in column]


def _misshapen(
    header: columns.Header,
    lines: Sequence[int],
    counts: np.ndarray,
    is_broken: np.ndarray,
) -> pd.Series:
    """Return the texts of the rows of a wrong shape, indexed by line."""
    is_short = counts <= max(header.positions.values())
    is_wide = counts > len(header.found)
    texts = {
        lines[at]: wording.BROKEN_QUOTES
        if is_broken[at]
        else wording.row_cells(counts[at], header.width)
        for at in np.flatnonzero(is_broken | is_short | is_wide).tolist()
    }
    return pd.Series(texts, index=pd.Index(texts, dtype="int64"), dtype=str)


def _frame(lines: Sequence[int], texts: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(
        dict(zip(columns.REQUIRED, texts, strict=True)),
        index=pd.Index(np.array(lines, dtype="int64"), name="line"),
        dtype=str,
    )


def _no_plan() -> pd.DataFrame:
    texts = ("action", "recipient_id", "first_key", "last_key", "email_key")
    plan = pd.DataFrame(
        {name: pd.Series(dtype=str) for name in texts},
        index=pd.Index([], dtype="int64", name="line"),
    )
    plan.insert(4, "birth_date", pd.Series(dtype="datetime64[us]"))
    return plan
