"""Reading: from an upload's bytes to a sheet of rows, or to a refusal.

Everything that concerns the file as a whole, and the shape of its rows.  Whether
the values are right is `schema`.
"""

from collections.abc import Iterable, Sequence

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
    lines = tokenising.split_lines(decoded.text)
    delimiter = tokenising.find_delimiter(lines)
    records = tokenising.records(lines, delimiter)
    header = columns.match(next((record.cells for record in records), []))
    rows, count = _take(records, lane.max_rows)
    refusal = _refusal(header, count, lane)
    found = (empty_sheet(refusal) if refusal else _sheet(header, rows)).but(
        encoding=decoded.encoding, delimiter=delimiter
    )
    return found.but(ignored_columns=header.ignored)


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


def _take(
    records: Iterable[tokenising.Record], limit: int
) -> tuple[list[tokenising.Record], int]:
    """Return up to `limit` of `records`, and how many there are."""
    rows: list[tokenising.Record] = []
    count = 0
    for record in records:
        count += 1
        if count <= limit:
            rows.append(record)
        if count > _COUNTED:
            break
    return rows, count


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


def _sheet(header: columns.Header, rows: Sequence[tokenising.Record]) -> sheet.Sheet:
    lines = [row.line for row in rows]
    written = _frame(
        lines,
        [_column(rows, header.positions[column]) for column in columns.REQUIRED],
    )
    cells = written.apply(report.unescape)
    return sheet.Sheet(
        cells=cells,
        values=cells.apply(cleaning.clean),
        rejections=rejections.join(
            rejections.of(reasons.ROW_CELLS, _misshapen(header, rows, lines))
        ),
        plan=_no_plan(),
    )


def _column(rows: Sequence[tokenising.Record], position: int) -> list[str]:
    return [r.cells[position] if position < len(r.cells) else "" for r in rows]


def _misshapen(
    header: columns.Header, rows: Sequence[tokenising.Record], lines: Sequence[int]
) -> pd.Series:
    """Return the texts of the rows of a wrong shape, indexed by line."""
    counts = np.array([len(row.cells) for row in rows])
    is_broken = np.array([row.is_broken for row in rows])
    is_short = counts <= max(header.positions.values())
    for at in np.flatnonzero(counts > len(header.found)).tolist():
        counts[at] = _filled(rows[at].cells)
    is_wide = counts > len(header.found)
    width = header.width
    texts = {
        lines[at]: wording.BROKEN_QUOTES
        if is_broken[at]
        else wording.row_cells(counts[at], width)
        for at in np.flatnonzero(is_broken | is_short | is_wide).tolist()
    }
    return pd.Series(texts, index=pd.Index(texts, dtype="int64"), dtype=str)


def _filled(cells: Sequence[str]) -> int:
    """Return the number of `cells` without the blank ones at the end."""
    count = len(cells)
    while count and cleaning.is_blank(cells[count - 1]):
        count -= 1
    return count


def _frame(lines: Sequence[int], texts: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(
        dict(zip(columns.REQUIRED, texts, strict=True)),
        index=pd.Index(np.array(lines, dtype="int64"), name="line"),
        dtype=str,
    )


def _no_plan() -> pd.DataFrame:
    return pd.DataFrame(
        {"action": pd.Series(dtype=str), "recipient_id": pd.Series(dtype=str)},
        index=pd.Index([], dtype="int64", name="line"),
    )
