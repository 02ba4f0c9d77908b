"""What is said and done about a case, in order; internal notes are among it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import tables
from cvms_pipeline.domain.vocabulary import cases as vocabulary

_TABLE = tables.case_activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing that was said or done.

    Attributes:
        author: The account's id.
        is_internal: Whether only staff may read it.
        details: Codes and ids, such as `from` and `to`; the audit has them, too.
    """

    id: int
    action: vocabulary.Action
    written_at: dt.datetime
    author: str
    author_name: str = field(repr=False)
    is_staff: bool
    is_internal: bool
    text: str = field(repr=False)
    details: Mapping[str, Any]


_FACTS = [_TABLE.c[name] for name in Activity.__dataclass_fields__]


def add(conn: sa.Connection, *, now: dt.datetime, **facts: Any) -> int | None:
    """Add an activity with these columns; return its id, or None.

    None is returned if its author has used its `key` before.
    """
    added = pg.insert(_TABLE).values(written_at=now, **facts)
    found = conn.scalar(added.on_conflict_do_nothing().returning(_TABLE.c.id))
    return None if found is None else int(found)


def has_key(conn: sa.Connection, author: str, key: str) -> bool:
    """Return whether somebody has used `key` before."""
    is_meant = (_TABLE.c.author == author) & (_TABLE.c.key == key)
    return conn.scalar(sa.select(_TABLE.c.id).where(is_meant)) is not None


def list_of_case(
    conn: sa.Connection, number: int, *, with_internal: bool
) -> Sequence[Activity]:
    """Return what has happened to a case, the earliest first."""
    query = sa.select(*_FACTS).where(_TABLE.c.number == number).order_by(_TABLE.c.id)
    if not with_internal:
        query = query.where(~_TABLE.c.is_internal)
    return [
        Activity(**{**row._mapping, "action": vocabulary.Action(row.action)})
        for row in conn.execute(query)
    ]


def find_first(conn: sa.Connection, number: int) -> int:
    """Return the id of the activity with which a case begins."""
    first = sa.select(sa.func.min(_TABLE.c.id)).where(_TABLE.c.number == number)
    return int(conn.scalar(first) or 0)
