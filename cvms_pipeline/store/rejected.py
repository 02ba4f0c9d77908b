"""The rejected rows of uploads: as the provider wrote them, and why.

Here live their rows alone; the report that is made of them is `domain.report`.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from cvms_pipeline.domain import columns, memory, rejections, report, sheet, strings
from cvms_pipeline.store import copying, tables

_TABLE = tables.rejected_rows
_READ = pa.schema(
    {
        "line": pa.int64(),
        **dict.fromkeys(("codes", "message", *columns.REQUIRED), strings.KIND),
    }
)
_AT_ONCE = 500
"""As many rows are held in Python's texts, which are several times a frame's size."""


def write(
    conn: sa.Connection, upload_id: str, judged: sheet.Sheet, matches: pd.DataFrame
) -> None:
    """Store the rejected rows of `judged`.

    Args:
        conn: The transaction.
        upload_id: Whose rows they are.
        judged: The sheet with every reason of every row.
        matches: Who was found stored already, as `recipients.matches` returns it;
            kept for data-ops, told to no provider.
    """
    if judged.rejections.empty:
        return
    messages = report.messages(judged.rejections)
    # As the text of a Postgres array; a code needs no quotation marks.
    codes = "{" + rejections.in_line(judged.rejections, "code", ",") + "}"
    cells = judged.cells.reindex(messages.index)  # no copy where it is every row
    matched = matches["recipient_id"].reindex(messages.index)
    copying.copy(
        conn,
        "cvms.rejected_rows",
        {
            "upload_id": [upload_id] * len(messages),
            "line": messages.index,
            **{name: cells[name] for name in columns.REQUIRED},
            "codes": codes,
            "message": messages,
            "matched_recipient": matched,
        },
    )


def of_upload(conn: sa.Connection, upload_id: str) -> pd.DataFrame:
    """Return an upload's rejected rows.

    Returns:
        A frame of strings, indexed by `line`: `codes` (reason codes, with commas
        between), `message` (what the provider reads, with `Line N: `) and the four
        columns of original cells.
    """
    # No array, because the driver takes one apart more slowly than a whole row.
    codes = sa.func.array_to_string(_TABLE.c.codes, ",").label("codes")
    asked = [codes if name == "codes" else _TABLE.c[name] for name in _READ.names]
    query = sa.select(*asked).where(_TABLE.c.upload_id == upload_id).order_by("line")
    found = conn.execute(query, execution_options={"yield_per": _AT_ONCE})
    parts = [_batch(rows) for rows in found.partitions()]
    frame: pd.DataFrame = pa.Table.from_batches(parts, _READ).to_pandas()
    return frame.set_index("line")


def _batch(rows: Sequence[sa.Row[Any]]) -> pa.RecordBatch:
    lines, *texts = zip(*rows, strict=True)
    columns_read = [pa.array(lines, pa.int64()), *map(strings.column, texts)]
    batch = pa.record_batch(columns_read, _READ)
    memory.make_room(batch.nbytes)
    return batch
