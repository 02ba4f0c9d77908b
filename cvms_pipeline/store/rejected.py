"""The rejected rows of uploads: as the provider wrote them, and why.

Here live their rows alone; the report that is made of them is `domain.report`.
"""

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.domain import columns, rejections, report, sheet
from cvms_pipeline.store import copying, tables

_TABLE = tables.rejected_rows


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
    cells = judged.cells.loc[messages.index]
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
        A frame indexed by `line`: `codes` (lists of reason codes), `message` (what
        the provider reads, with `Line N: `) and the four columns of original cells.
    """
    names = ["line", "codes", "message", *columns.REQUIRED]
    # As one text, because the driver takes apart an array more slowly than a whole row.
    codes = sa.func.array_to_string(_TABLE.c.codes, ",").label("codes")
    asked = [codes if name == "codes" else _TABLE.c[name] for name in names]
    query = sa.select(*asked).where(_TABLE.c.upload_id == upload_id).order_by("line")
    rows = conn.execute(query).all()
    read = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    frame = pd.DataFrame(read, columns=names).astype({"line": "int64"})
    return frame.assign(codes=frame["codes"].str.split(",")).set_index("line")
