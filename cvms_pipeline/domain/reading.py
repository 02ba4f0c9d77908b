"""Reading: from an upload's bytes to a sheet of rows, or to a refusal.

Everything that concerns the file as a whole, and the shape of its rows.  Whether
the values are right is `schema`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from cvms_pipeline.domain import (
    cleaning,
    columns,
    decoding,
    reasons,
    refusals,
    rejections,
    report,
    sheet,
    strings,
    taking,
    tokenising,
    upload,
    wording,
)

MAX_CELL_LENGTH = 32_767
"""As many characters as a spreadsheet's cell holds; longer ones are cut there."""


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
    header, taken = taking.take(decoded.text, delimiter, most=lane.max_rows)
    del decoded  # four bytes a character, at worst
    refusal = _refusal(header, taken.count, lane)
    found = empty_sheet(refusal) if refusal else _sheet(header, taken)
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
        return refusals.too_many_rows(rows, lane, at_least=rows > taking.COUNTED)
    return None


def _sheet(header: columns.Header, taken: taking.Taken) -> sheet.Sheet:
    written = [_held(column) for column in taken.columns]
    cells = _frame(taken.lines, written).apply(report.unescape)
    misshapen = _misshapen(header, taken)
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


def _misshapen(header: columns.Header, taken: taking.Taken) -> pd.Series:
    """Return the texts of the rows of a wrong shape, indexed by line."""
    widths, is_broken = np.array(taken.widths), np.array(taken.is_broken)
    is_short = widths <= max(header.positions.values())
    is_wide = widths > len(header.found)
    texts = {
        taken.lines[at]: wording.BROKEN_QUOTES
        if is_broken[at]
        else wording.row_cells(widths[at], header.width)
        for at in np.flatnonzero(is_broken | is_short | is_wide).tolist()
    }
    return pd.Series(texts, index=pd.Index(texts, dtype="int64"), dtype=str)


def _frame(lines: Sequence[int], texts: Sequence[Sequence[str]]) -> pd.DataFrame:
    held = dict(zip(columns.REQUIRED, map(strings.column, texts), strict=True))
    index = pd.Index(np.array(lines, dtype="int64"), name="line")
    frame: pd.DataFrame = pa.table(held).to_pandas()
    return frame.set_axis(index)


def _no_plan() -> pd.DataFrame:
    texts = ("action", "recipient_id", "first_key", "last_key", "email_key")
    plan = pd.DataFrame(
        {name: pd.Series(dtype=str) for name in texts},
        index=pd.Index([], dtype="int64", name="line"),
    )
    plan.insert(4, "birth_date", pd.Series(dtype="datetime64[us]"))
    return plan
