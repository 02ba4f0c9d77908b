"""Lists of cases, page by page: those of one requester, and the queue of staff.

A page begins behind the last case of the one before (or ends before the first of the
one after), so that it takes no longer however many cases there are.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from cvms_pipeline.database import case_tables, tables
from cvms_pipeline.domain.vocabulary import cases as vocabulary

_TABLE = tables.cases
_OPEN = [state for state in vocabulary.State if state.is_open]
# Written out, so that the planner sees that the index has these rows.
_IS_OPEN = sa.text("state IN ('new', 'in_progress', 'waiting_for_requester')")

PAGE = 50
"""How many cases a page has."""

MAX_COUNTED = 1_000
"""Up to how many cases are counted for a page: counting all would be slow."""

NOBODY = "none"
"""The assignee of cases that are assigned to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case in a list."""

    number: int
    kind: vocabulary.Kind
    state: vocabulary.State
    priority: vocabulary.Priority
    organisation: str = field(repr=False)
    requester_name: str = field(repr=False)
    assignee: str | None
    assignee_name: str = field(repr=False)
    opened_at: dt.datetime
    waiting_since: dt.datetime | None
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A page of cases; `has_before` and `has_after` say whether there are others."""

    lines: Sequence[CaseLine]
    has_before: bool
    has_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page of the queue is wanted; None chooses nothing.

    Attributes:
        state: The state; None: whatever is neither resolved nor closed.
        assignee: The account's id, or `NOBODY`.
        words: A case's number; it is found in any state.
        after: The number of the case behind which the page begins.
        before: The number of the case before which it ends.
    """

    state: vocabulary.State | None = None
    kind: vocabulary.Kind | None = None
    priority: vocabulary.Priority | None = None
    assignee: str | None = None
    is_overdue: bool = False
    words: str = field(default="", repr=False)
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases there are.

    Attributes:
        states: By state; each state is there.
        unassigned: Open and assigned to nobody.
        overdue: Not answered in time.
    """

    states: Mapping[vocabulary.State, int]
    unassigned: int
    overdue: int

    @property
    def open(self) -> int:
        """Return how many are neither resolved nor closed."""
        return sum(self.states[state] for state in _OPEN)


_FACTS = [
    _TABLE.c[name] for name in CaseLine.__dataclass_fields__ if name != "is_overdue"
]


def list_own(
    conn: sa.Connection,
    *,
    requester: str,
    provider: str,
    overdue_before: dt.datetime,
    after: int | None = None,
    before: int | None = None,
) -> CasePage:
    """Return a page of the cases that somebody may see, the latest first.

    They are the account's own and, if `provider` is not empty, those of the provider.
    """
    rule: sa.ColumnElement[bool] = _TABLE.c.requester == requester
    if provider:
        rule |= _TABLE.c.provider == provider
    return _read_page(
        conn, [rule], (), (after, before), overdue_before, PAGE, is_latest_first=True
    )


def list_queue(
    conn: sa.Connection,
    wanted: Wanted,
    *,
    overdue_before: dt.datetime,
    limit: int = PAGE,
) -> tuple[CasePage, int]:
    """Return a page of the queue, the longest waiting first, and how many match.

    Above `MAX_COUNTED` they are not counted further.
    Cases that are resolved or closed are listed by number, the latest first.
    """
    rules = _make_rules(wanted, overdue_before)
    is_over = wanted.state is not None and not wanted.state.is_open
    place = (wanted.after, wanted.before)
    order = () if is_over or wanted.words else (case_tables.queue_at,)
    page = _read_page(
        conn,
        rules,
        order,
        place,
        overdue_before,
        limit,
        is_latest_first=is_over,
    )
    return page, _count_up_to(conn, rules)


def count_states(conn: sa.Connection) -> Mapping[vocabulary.State, int]:
    """Return how many cases there are by state, each up to `MAX_COUNTED`."""
    return {
        state: _count_up_to(conn, [_TABLE.c.state == state.value])
        for state in vocabulary.State
    }


def count(conn: sa.Connection, *, overdue_before: dt.datetime) -> Counts:
    """Return how many cases there are, by state, unassigned and overdue."""
    by_state = sa.select(_TABLE.c.state, sa.func.count()).group_by(_TABLE.c.state)
    found = {vocabulary.State(state): n for state, n in conn.execute(by_state)}
    attention = conn.execute(
        sa.select(
            sa.func.count().filter(_TABLE.c.assignee.is_(None)),
            sa.func.count().filter(_TABLE.c.waiting_since < overdue_before),
        ).where(_IS_OPEN)
    ).one()
    return Counts(
        states={state: found.get(state, 0) for state in vocabulary.State},
        unassigned=attention[0],
        overdue=attention[1],
    )


def list_of_upload(conn: sa.Connection, upload_id: str) -> Sequence[int]:
    """Return the numbers of the cases that are about an upload, or brought it."""
    files = tables.case_files
    brought = sa.select(files.c.number).where(files.c.upload_id == upload_id)
    about = sa.select(_TABLE.c.number).where(_TABLE.c.upload_id == upload_id)
    return sorted(conn.scalars(sa.union(brought, about)))


def _count_up_to(conn: sa.Connection, rules: Sequence[Any]) -> int:
    found = sa.select(_TABLE.c.number).where(*rules).limit(MAX_COUNTED).subquery()
    return conn.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def _make_rules(wanted: Wanted, overdue_before: dt.datetime) -> list[Any]:
    if wanted.words:
        return [_TABLE.c.number == vocabulary.parse_number(wanted.words)]
    rules: list[Any] = [_IS_OPEN]
    if wanted.state is not None:
        rules = [_TABLE.c.state == wanted.state.value]
        rules += [_IS_OPEN] if wanted.state.is_open else []
    if wanted.kind is not None:
        rules.append(_TABLE.c.kind == wanted.kind.value)
    if wanted.priority is not None:
        rules.append(_TABLE.c.priority == int(wanted.priority))
    if wanted.assignee is not None:
        is_nobody = wanted.assignee == NOBODY
        rules.append(_TABLE.c.assignee == (None if is_nobody else wanted.assignee))
    if wanted.is_overdue:
        rules.append(_TABLE.c.waiting_since < overdue_before)
    return rules


def _read_page(
    conn: sa.Connection,
    rules: Sequence[Any],
    order: Sequence[Any],
    place: tuple[int | None, int | None],
    overdue_before: dt.datetime,
    size: int,
    *,
    is_latest_first: bool,
) -> CasePage:
    after, before = place
    is_backward = after is None and before is not None
    keys = (*order, _TABLE.c.number)
    is_down = is_latest_first != is_backward
    query = sa.select(*_FACTS).where(*rules)
    if (at := before if is_backward else after) is not None:
        there = [
            sa.select(key).where(_TABLE.c.number == at).scalar_subquery()
            for key in keys
        ]
        ours, theirs = sa.tuple_(*keys), sa.tuple_(*there)
        query = query.where(ours < theirs if is_down else ours > theirs)
    ordered = query.order_by(*(key.desc() if is_down else key for key in keys))
    found = conn.execute(ordered.limit(size + 1)).all()
    lines = [_to_line(row._mapping, overdue_before) for row in found[:size]]
    has_more = len(found) > size
    return CasePage(
        lines=lines[::-1] if is_backward else lines,
        has_before=has_more if is_backward else at is not None,
        has_after=True if is_backward else has_more,
    )


def _to_line(row: Mapping[Any, Any], overdue_before: dt.datetime) -> CaseLine:
    waiting_since = row["waiting_since"]
    line = CaseLine(
        **row, is_overdue=waiting_since is not None and waiting_since < overdue_before
    )
    return replace(
        line,
        kind=vocabulary.Kind(line.kind),
        state=vocabulary.State(line.state),
        priority=vocabulary.Priority(line.priority),
    )
