"""Forgetting what the store need not keep: rejected rows, once they are old.

The history of uploads and messages stays for good, with counts and reasons; what of
it is over and done with is asked here.  What our neighbours in the same database
leave behind is `neighbours`.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.store import engine


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneWith:
    """An upload that has finished and about which nothing is still to be told."""

    id: str
    provider: str | None
    finished_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Purgeable:
    """How many uploads have rejected rows that are old enough, and how many rows."""

    uploads: int
    rows: int


def done_with(
    conn: sa.Connection, upload_ids: Collection[str], *, before: dt.datetime, limit: int
) -> Sequence[DoneWith]:
    """Return those of the uploads that are done with, first finished first.

    Args:
        conn: The transaction.
        upload_ids: Which to look at; unknown ones are left out.
        before: They have finished before it.
        limit: No more than so many.
    """
    values = {"ids": list(upload_ids), "before": before, "limit": limit}
    rows = conn.execute(engine.statement("find_done_with"), values)
    return [DoneWith(**row._mapping) for row in rows]


def purgeable(conn: sa.Connection, *, before: dt.datetime) -> Purgeable:
    """Return what `purge_rejected_rows` has to do."""
    row = conn.execute(engine.statement("count_purgeable"), {"before": before}).one()
    return Purgeable(uploads=row.uploads, rows=int(row.rows))


def purge_rejected_rows(
    conn: sa.Connection, *, before: dt.datetime, now: dt.datetime, limit: int
) -> Mapping[str, int]:
    """Delete the rejected rows of some uploads that had finished before a moment.

    Args:
        conn: The transaction.
        before: Only of uploads that have finished before it.
        now: What is noted as `purged_at`.
        limit: How many uploads at most.

    Returns:
        Upload id to the number of its rows; empty when nothing is left to do.
    """
    values = {"before": before, "now": now, "limit": limit}
    rows = conn.execute(engine.statement("purge_rejected_rows"), values)
    return {row.id: row.rejected for row in rows}
