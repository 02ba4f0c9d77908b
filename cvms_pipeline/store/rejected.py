"""The rejected rows of uploads: as the provider wrote them, and why.

Here live their rows alone; the report that is made of them is `domain.report`.
"""

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from cvms_pipeline.domain import columns, rejections, report, sheet, strings
from cvms_pipeline.store import copying, engine

_READ = pa.schema(
    {
        "line": pa.int64(),
        **dict.fromkeys(("codes", "message", *columns.REQUIRED), strings.KIND),
    }
)


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
    query, values = engine.statement("read_rejected_rows"), {"upload_id": upload_id}
    frame: pd.DataFrame = copying.read(conn, query, values, _READ).to_pandas()
    return frame.set_index("line")
