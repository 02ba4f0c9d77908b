"""The rejected rows of uploads: as the provider wrote them, with their reasons.

They are purged when they are old; the counts and reasons of their upload remain.  The
error report that is made of them is `domain.reporting.error_report`; whose one it is
that was dropped is found here.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from cvms_pipeline.database import copy, engine
from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import columns, reasons, upload
from cvms_pipeline.store import uploads

_statement = engine.load_statements(__package__)
_READ = pa.schema(
    {
        "line": pa.int64(),
        **dict.fromkeys(
            ("codes", "message", *columns.NAMES, "extra_cells"), arrow.TEXT
        ),
    }
)
_MAX_ORIGINS = 20
"""So many earlier uploads of the same rows are compared with an error report."""

_MIN_SHARE = 0.5
"""The share of its rows that must have a cell of the earlier row."""


def write(
    conn: sa.Connection,
    upload_id: str,
    planned: sheet.Sheet,
    matches: pd.DataFrame,
    *,
    file_name: str = "",
    origin: upload.ReportOrigin | None = None,
) -> int:
    """Store the rejected rows of `planned`; return how many of them are outstanding.

    Outstanding are all but those of people who are loaded already.

    Args:
        conn: The transaction.
        upload_id: The upload they belong to.
        planned: The sheet with every reason of every row.
        matches: The stored recipients that rows matched, as `recipients.look_up`
            returns them; kept for data-ops and shown to no provider.
        file_name: The name of the uploaded file.
        origin: Of which other file it is the error report, as `find_origin` returns it.
    """
    if planned.rejections.empty:
        return 0
    messages = error_report.compose_messages(planned.rejections, file_name, origin)
    # As the text of a Postgres array; a code needs no quotation marks.
    codes = "{" + sheet.join_by_line(planned.rejections, "code", ",") + "}"
    cells = planned.cells.reindex(messages.index)  # no copy where it is every row
    matched = matches["recipient_id"].reindex(messages.index)
    extra = planned.extras["cells"].reindex(messages.index, fill_value="")
    is_outstanding = _find_outstanding(planned.rejections, messages.index)
    copy.append(
        conn,
        "cvms.rejected_rows",
        {
            "upload_id": [upload_id] * len(messages),
            "line": messages.index,
            **{name: cells[name] for name in columns.NAMES},
            **({"extra_cells": extra} if (extra != "").any() else {}),
            "codes": codes,
            "message": messages,
            "matched_recipient": matched,
            **({} if is_outstanding.all() else {"is_outstanding": is_outstanding}),
        },
    )
    return int(is_outstanding.sum())


def _find_outstanding(
    rejections: pd.DataFrame, lines: pd.Index
) -> npt.NDArray[np.bool_]:
    """Return for each of `lines` whether it was rejected for more than duplication."""
    is_wrong = ~rejections["code"].isin(reasons.DUPLICATES)
    return lines.isin(rejections.loc[is_wrong, "line"])


def read(conn: sa.Connection, upload_id: str) -> pd.DataFrame:
    """Return an upload's rejected rows.

    Returns:
        A frame of strings, indexed by `line`: `codes` (reason codes, with commas
        between), `message` (what the provider reads, with `Line N: `), the four
        columns of original cells, and `extra_cells`, as in `frames.Extras`.
    """
    query, values = _statement("read_rejected_rows"), {"upload_id": upload_id}
    frame: pd.DataFrame = copy.read(conn, query, values, _READ).to_pandas()
    return frame.set_index("line")


def find_origin(
    conn: sa.Connection, dropped: uploads.Upload, read: sheet.Sheet
) -> upload.ReportOrigin | None:
    """Return of which file an upload is the error report, if that is certain.

    It is if all its rows with an error have the line and the message of a rejected row
    of one earlier upload, and most of them a cell of it; of several such uploads, if
    their files have the same name.

    Args:
        conn: The transaction.
        dropped: The upload.
        read: Its sheet.
    """
    errors = read.extras["error"]
    errors = errors[errors != ""]
    if errors.empty:
        return None
    lines = pd.to_numeric(errors.str.extract(r"\ALine ([0-9]{1,7})\b")[0])
    if dropped.provider is None or lines.isna().any():
        return None
    values = {"upload_id": dropped.id, "provider": dropped.provider}
    first = {"line": int(lines.iloc[0]), "message": errors.iloc[0]}
    query = _statement("find_reported")
    ids = conn.scalars(query, {**values, **first, "limit": _MAX_ORIGINS}).all()
    cells = read.cells.loc[errors.index].assign(message=errors)
    found = list(_match_reports(conn, ids, cells, lines.astype("int64")))
    return found[0] if found and all(each == found[0] for each in found) else None


def _match_reports(
    conn: sa.Connection, ids: Sequence[str], cells: pd.DataFrame, lines: pd.Series
) -> Iterator[upload.ReportOrigin]:
    """Yield the origin that each of some uploads is, if it has all the rows.

    Args:
        conn: The transaction.
        ids: The uploads.
        cells: The rows of the error report, and their `message`.
        lines: Which line of the upload each of them should be.
    """
    for upload_id in ids:
        rejected = read(conn, upload_id).reindex(lines).set_axis(lines.index)
        if not cells["message"].eq(rejected["message"]).all():
            continue
        names = list(columns.NAMES)
        is_same = (cells[names] == rejected[names]) & (cells[names] != "")
        if is_same.any(axis="columns").mean() < _MIN_SHARE:
            continue
        origin = uploads.get(conn, upload_id)
        lines_of = dict(zip(lines.index.tolist(), lines.tolist(), strict=True))
        if origin.origin is None:
            yield upload.ReportOrigin(file_name=origin.file_name, lines=lines_of)
            continue
        earlier = origin.origin.lines
        lines_of = {
            at: earlier[line] for at, line in lines_of.items() if line in earlier
        }
        yield replace(origin.origin, lines=lines_of)


def count_purgeable(conn: sa.Connection, *, before: dt.datetime) -> tuple[int, int]:
    """Return how many uploads and rows `purge` would purge."""
    row = conn.execute(_statement("count_purgeable"), {"before": before}).one()
    return row.uploads, int(row.rows)


def purge(
    conn: sa.Connection,
    *,
    before: dt.datetime,
    now: dt.datetime,
    limit: int,
    without: Sequence[str] = (),
) -> Mapping[str, int]:
    """Delete the rejected rows of up to `limit` uploads that finished before a moment.

    Those of the uploads `without` are left.

    Returns:
        Upload id to the number of its rows; empty when nothing is left to purge.
    """
    values = {
        "before": before,
        "now": now,
        "limit": limit,
        "without": list(without),
    }
    rows = conn.execute(_statement("purge_rejected_rows"), values)
    return {row.id: row.rejected for row in rows}
