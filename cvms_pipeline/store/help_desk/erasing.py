"""Erasing what cases hold of people, some time after they were closed."""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from cvms_pipeline.database import engine, tables

_statement = engine.load_statements(__package__)
_CASES, _FILES = tables.cases, tables.case_files


def count_erasable(conn: sa.Connection, *, before: dt.datetime) -> int:
    """Return how many cases were closed before a moment and not erased yet."""
    is_due = (_CASES.c.closed_at < before) & _CASES.c.erased_at.is_(None)
    return conn.scalar(sa.select(sa.func.count()).where(is_due)) or 0


def erase(
    conn: sa.Connection, *, before: dt.datetime, now: dt.datetime, limit: int
) -> Mapping[int, Sequence[str]]:
    """Erase cases that were closed before a moment; return the ids of their files.

    Texts, names and addresses go, those of messages too; who is known by an account's
    id stays so.
    """
    values = {"before": before, "now": now, "limit": limit}
    rows = conn.execute(_statement("erase_cases"), values)
    return {row.number: row.file_ids for row in rows}


def find_old_files(
    conn: sa.Connection, *, before: dt.datetime, limit: int
) -> Mapping[str, int]:
    """Return the files of cases that were closed before a moment, with the numbers."""
    query = (
        sa.select(_FILES.c.id, _FILES.c.number)
        .join(_CASES, _CASES.c.number == _FILES.c.number)
        .where(_CASES.c.closed_at < before, _FILES.c.removed_at.is_(None))
        .order_by(_FILES.c.id)
        .limit(limit)
    )
    return {row.id: row.number for row in conn.execute(query)}


def mark_removed(
    conn: sa.Connection, file_ids: Sequence[str], now: dt.datetime
) -> None:
    """Record that the bytes of files are removed."""
    removed = sa.update(_FILES).where(_FILES.c.id.in_(file_ids))
    conn.execute(removed.values(removed_at=now))
