"""Erasing what cases hold of people, some time after they were closed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cvms_pipeline.database import engine, tables

_statement = engine.load_statements(__package__)
_CASES, _FILES = tables.cases, tables.case_files


def count_erasable(conn: sa.Connection, *, before: dt.datetime) -> int:
    """Return how many cases were closed before a moment and not erased yet."""
    is_due = (_CASES.c.closed_at < before) & _CASES.c.erased_at.is_(None)
    return conn.scalar(sa.select(sa.func.count()).where(is_due)) or 0


def erase(
    conn: sa.Connection,
    *,
    before: dt.datetime,
    now: dt.datetime,
    limit: int,
    without: Sequence[int] = (),
) -> Mapping[int, Sequence[str]]:
    """Erase cases that were closed before a moment; return the ids of their files.

    The cases `without` are left.

    Texts, names and addresses go, those of messages too; who is known by an account's
    id stays so.
    """
    values = {
        "before": before,
        "now": now,
        "limit": limit,
        "without": list(without),
    }
    rows = conn.execute(_statement("erase_cases"), values)
    return {row.number: row.file_ids for row in rows}


def count_old_files(conn: sa.Connection, *, before: dt.datetime) -> int:
    """Return how many files there are of cases that were closed before a moment."""
    return conn.scalar(_select_old_files(before, sa.func.count())) or 0


def find_old_files(
    conn: sa.Connection,
    *,
    before: dt.datetime,
    limit: int,
    without: Sequence[str] = (),
) -> Sequence[str]:
    """Return files of cases that were closed before a moment, except `without`."""
    query = _select_old_files(before, _FILES.c.id).where(_FILES.c.id.not_in(without))
    return conn.scalars(query.order_by(_FILES.c.id).limit(limit)).all()


def _select_old_files(
    before: dt.datetime, wanted: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    of_case = _CASES.c.number == _FILES.c.number
    is_old = (_CASES.c.closed_at < before) & _FILES.c.removed_at.is_(None)
    return sa.select(wanted).select_from(_FILES).join(_CASES, of_case).where(is_old)


def mark_removed(
    conn: sa.Connection, file_ids: Sequence[str], now: dt.datetime
) -> None:
    """Record that the bytes of files are removed."""
    removed = sa.update(_FILES).where(_FILES.c.id.in_(file_ids))
    conn.execute(removed.values(removed_at=now))
