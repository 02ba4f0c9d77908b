"""Reading: from an upload's bytes to a sheet of rows, or to a refusal.

Everything that concerns the file as a whole, and the shape of its rows.  Whether
the values are right is `schema`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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

_NO_PLAN = pd.DataFrame(
    {
        "action": pd.Series(dtype=str),
        "recipient_id": pd.Series(dtype=str),
        "first_key": pd.Series(dtype=str),
        "last_key": pd.Series(dtype=str),
        "birth_date": pd.Series(dtype="datetime64[us]"),
        "email_key": pd.Series(dtype=str),
        "is_taken": pd.Series(dtype=bool),
    },
    index=pd.Index([], dtype="int64", name="line"),
)


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
    nothing = _frame([], [strings.column([]) for _ in columns.REQUIRED])
    return sheet.Sheet(
        refusal=refusal,
        cells=nothing,
        values=nothing,
        rejections=rejections.NONE,
        plan=_NO_PLAN,
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
        rejections=rejections.join([rejections.of(reasons.ROW_CELLS, misshapen)]),
        plan=_NO_PLAN,
    )


def _held(column: pa.LargeStringArray) -> pa.LargeStringArray:
    """Return the cells of a column, as much of each as is kept."""
    is_long = pc.greater(pc.utf8_length(column), MAX_CELL_LENGTH)
    at = np.flatnonzero(strings.mask(is_long))
    cut = [cleaning.shortened(c, MAX_CELL_LENGTH) for c in strings.some(column, at)]
    return strings.replaced(column, at, cut)


def _misshapen(header: columns.Header, taken: taking.Taken) -> pd.Series:
    """Return the texts of the rows of a wrong shape, indexed by line."""
    widths, is_broken = taken.widths, taken.is_broken
    is_short = widths <= max(header.positions.values())
    is_wide = widths > len(header.found)
    texts = {
        int(taken.lines[at]): wording.BROKEN_QUOTES
        if is_broken[at]
        else wording.row_cells(int(widths[at]), header.width)
        for at in np.flatnonzero(is_broken | is_short | is_wide)
    }
    return pd.Series(texts, index=pd.Index(texts, dtype="int64"), dtype=str)


def _frame(
    lines: Sequence[int] | np.ndarray, texts: Sequence[pa.LargeStringArray]
) -> pd.DataFrame:
    held = dict(zip(columns.REQUIRED, texts, strict=True))
    frame: pd.DataFrame = pa.table(held).to_pandas()
    return frame.set_axis(pd.Index(np.asarray(lines, dtype="int64"), name="line"))
