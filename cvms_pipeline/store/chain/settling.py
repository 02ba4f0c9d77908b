"""The chain: an upload brings back rejected rows of earlier uploads of its provider.

Here it is found out which, in the transaction that loads the upload, and recorded with
the rows and the uploads.  Which row is which is decided in `matching.brought_back`.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import brought_back
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import columns
from cvms_pipeline.store import uploads

_statement = engine.load_statements(__package__)
_MAX_UPLOADS = 50
"""So many earlier uploads with outstanding rows are looked at, the latest first."""

_MAX_ROWS = 10_000
_REJECTED = ("upload", "line", "codes", "message", *columns.NAMES)
_SEPARATOR = "\x1e"


def settle(
    conn: sa.Connection, locked: uploads.Upload, read: sheet.Sheet
) -> Sequence[str]:
    """Record which outstanding rows an upload brings back; they are not any more.

    Those that are rejected again are outstanding as rows of this upload.

    Args:
        conn: The transaction that loads it, in which it is decided once.
        locked: The upload.
        read: Its sheet.

    Returns:
        The earlier uploads of which it brings rows back.
    """
    if not locked.may_bring_back or read.cells.empty:
        return ()
    candidates = _find_candidates(conn, locked, read)
    if not candidates:
        return ()
    rejected = pd.DataFrame(candidates, columns=list(_REJECTED))
    rejected = rejected.astype({"line": "int64"})
    found = brought_back.match_rows(read.cells, read.extras["error"], rejected)
    if found.empty:
        return ()
    values = {str(name): found[name].tolist() for name in found}
    settled = conn.scalars(
        _statement("settle_rows"), {**values, "upload_id": locked.id}
    )
    return sorted(settled)


def _find_candidates(
    conn: sa.Connection, locked: uploads.Upload, read: sheet.Sheet
) -> Sequence[sa.Row[Any]]:
    """Return the outstanding rows that may be rows of the sheet, as in `_REJECTED`."""
    emails, names = brought_back.make_probes(read.cells)
    values = {
        "upload_id": locked.id,
        "provider": locked.provider,
        "errors": _join_each(read.extras["error"]),
        "emails": _join_each(emails),
        "names": _join_each(names),
        "blank": brought_back.BLANK,
        "uploads": _MAX_UPLOADS,
        "limit": _MAX_ROWS,
    }
    return conn.execute(_statement("find_candidates"), values).all()


def _join_each(texts: pd.Series) -> str:
    """Return the texts as one: the driver takes ten times as long for a list."""
    return _SEPARATOR.join(text for text in texts.unique().tolist() if text)
