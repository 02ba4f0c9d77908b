"""Looking recipients up by the beginnings of their names.

For data-ops and the help desk; what uploads are matched by is `recipients`.  Takes
no longer with many recipients stored: every word and every order has its index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.domain import cleaning
from cvms_pipeline.store import tables

MOST = 10_000
"""How many matches are counted and put in order; beyond, the words say too little."""

_TABLE = tables.recipients
# Each has its index; ids begin with the time, usernames with the e-mail address.
_ORDERS = {
    "last_name": ("last_key", "first_key", "birth_date"),
    "first_name": ("first_key", "last_key", "birth_date"),
    "birth_date": ("birth_date",),
    "email": ("username",),
    "username": ("username",),
    "loaded_at": (),
}
SORTS = tuple(_ORDERS)
"""What recipients can be sorted by."""


class SortUnknown(errors.PermanentError):
    """Recipients cannot be sorted by this column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found.

    Attributes:
        recipients: The first of them, indexed from 0: `recipient_id`, `first_name`,
            `last_name`, `birth_date` (dates), `email`, `username`, `provider`,
            `upload`, `line`, `loaded_at`, `is_registered`, `is_removed`.
        total: How many there are.
        is_capped: Whether there are more than `total`; then only the first `total`
            that came to hand were put in order.
    """

    recipients: pd.DataFrame
    total: int
    is_capped: bool


def search(
    conn: sa.Connection,
    words: Sequence[str] = (),
    *,
    sort: str = "last_name",
    is_descending: bool = False,
    limit: int = 50,
) -> Found:
    """Return the recipients whose first or last name each of `words` starts.

    Words are compared as match keys are: case and width do not count.

    Raises:
        SortUnknown: If `sort` is none of `SORTS`.
    """
    if sort not in _ORDERS:
        raise SortUnknown(
            f"Recipients cannot be sorted by {sort!r}; choose one of"
            f" {', '.join(SORTS)}."
        )
    starts = [key for key in cleaning.match_key(pd.Series(words, dtype=str)) if key]
    if starts:
        return _starting(conn, starts, sort, is_descending, limit)
    query = _shown(_TABLE.c).order_by(*_order(_TABLE.c, sort, is_descending))
    # Counting the recipients would read them all; their providers know.
    total = conn.scalar(sa.select(sa.func.sum(tables.providers.c.recipients)))
    shown = _frame(conn.execute(query.limit(limit)))
    return Found(recipients=shown, total=int(total or 0), is_capped=False)


def _starting(
    conn: sa.Connection, starts: list[str], sort: str, is_descending: bool, limit: int
) -> Found:
    are_started = [
        _TABLE.c.first_key.startswith(start, autoescape=True)
        | _TABLE.c.last_key.startswith(start, autoescape=True)
        for start in starts
    ]
    # Found first, put in order after: the other way round reads every recipient.
    first = sa.select(_TABLE).where(*are_started).limit(MOST + 1)
    found = first.cte("found").prefix_with("MATERIALIZED")
    query = _shown(found.c).add_columns(sa.func.count().over().label("total"))
    order = _order(found.c, sort, is_descending)
    shown = _frame(conn.execute(query.order_by(*order).limit(limit)))
    total = int(shown.pop("total").max()) if len(shown) else 0
    return Found(recipients=shown, total=min(total, MOST), is_capped=total > MOST)


def _order(named: Any, sort: str, is_descending: bool) -> list[Any]:
    columns = [
        sa.func.lower(named[name]) if name == "username" else named[name]
        for name in (*_ORDERS[sort], "id")
    ]
    return [column.desc() if is_descending else column.asc() for column in columns]


def _shown(named: Any) -> sa.Select[Any]:
    return sa.select(
        named.id.label("recipient_id"),
        named.first_name,
        named.last_name,
        named.birth_date,
        named.email,
        named.username,
        named.provider,
        named.upload_id.label("upload"),
        named.source_line.label("line"),
        named.loaded_at,
        named.registered_at.is_not(None).label("is_registered"),
        named.removed_at.is_not(None).label("is_removed"),
    )


def _frame(rows: sa.CursorResult[Any]) -> pd.DataFrame:
    names = list(rows.keys())
    return pd.DataFrame([tuple(row) for row in rows], columns=names)
