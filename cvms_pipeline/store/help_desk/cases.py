"""The rows of cases: opened, read, locked, changed.

What happens to a case is `activity`, its files are `case_files`; lists are in `queue`.
Each change raises the version, so that a page that is older can be told.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline import errors
from cvms_pipeline.database import tables
from cvms_pipeline.domain.vocabulary import cases as vocabulary

_TABLE = tables.cases
State = vocabulary.State


class CaseUnknown(errors.PermanentError):
    """There is no case with this number."""


class StaleCase(errors.PermanentError):
    """Somebody has changed the case since it was shown; nothing was changed now."""


class CaseClosed(errors.PermanentError):
    """The case is closed. Please open a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case.

    Attributes:
        version: Raised by each change.
        provider: The provider whose managers share it, or None.
        requester: The id of the account that has opened it; so is `assignee`.
        requester_email: Where the messages about it go.
        upload_id: The upload it is about, or None; `line` is a line of that.
        recipient_id: The recipient it is about, or None.
        waiting_since: Since when it waits for staff; None if it does not.
        erased_at: When its texts, names and files were erased, or None.
    """

    number: int
    kind: vocabulary.Kind
    state: vocabulary.State
    priority: vocabulary.Priority
    version: int
    provider: str | None
    vfc_pin: str
    organisation: str = field(repr=False)
    requester: str
    requester_name: str = field(repr=False)
    requester_email: str = field(repr=False)
    assignee: str | None
    assignee_name: str = field(repr=False)
    upload_id: str | None
    line: int | None
    recipient_id: str | None
    opened_at: dt.datetime
    waiting_since: dt.datetime | None
    resolved_at: dt.datetime | None
    closed_at: dt.datetime | None
    erased_at: dt.datetime | None


_FACTS = [_TABLE.c[name] for name in Case.__dataclass_fields__]


def add(
    conn: sa.Connection, *, now: dt.datetime, key: str, **facts: Any
) -> Case | None:
    """Add a case with these columns; return None if its requester has used `key`."""
    values = {"opened_at": now, "waiting_since": now, "key": key, **facts}
    added = pg.insert(_TABLE).values(values).on_conflict_do_nothing()
    row = conn.execute(added.returning(*_FACTS)).one_or_none()
    return None if row is None else _to_case(row._mapping)


def find_by_key(conn: sa.Connection, requester: str, key: str) -> Case | None:
    """Return the case that was opened with `key`, or None."""
    is_meant = (_TABLE.c.requester == requester) & (_TABLE.c.key == key)
    row = conn.execute(sa.select(*_FACTS).where(is_meant)).one_or_none()
    return None if row is None else _to_case(row._mapping)


def get(conn: sa.Connection, number: int) -> Case:
    """Return the case `number`.

    Raises:
        CaseUnknown: If there is none.
    """
    return _read(conn, sa.select(*_FACTS), number)


def lock(conn: sa.Connection, number: int, *, version: int | None = None) -> Case:
    """Return the case `number`, which nobody else changes until the commit.

    Raises:
        CaseUnknown: If there is none.
        StaleCase: If it has another version than `version`.
        CaseClosed: If it was erased.
    """
    found = _read(conn, sa.select(*_FACTS).with_for_update(), number)
    if version is not None and found.version != version:
        raise StaleCase
    if found.erased_at is not None:
        raise CaseClosed
    return found


def change(conn: sa.Connection, number: int, **values: Any) -> Case:
    """Change columns of a case that is locked, and raise its version."""
    changed = sa.update(_TABLE).where(_TABLE.c.number == number)
    raised = changed.values(version=_TABLE.c.version + 1, **values)
    return _to_case(conn.execute(raised.returning(*_FACTS)).one()._mapping)


def plan_state(case: Case, state: State, *, now: dt.datetime) -> Mapping[str, Any]:
    """Return the columns that a case has in `state`."""
    is_over = state is State.CLOSED
    resolved_at = case.resolved_at if is_over else now
    return {
        "state": state.value,
        "waiting_since": (case.waiting_since or now) if state.is_for_staff else None,
        "resolved_at": None if state.is_open else resolved_at,
        "closed_at": (case.closed_at or now) if is_over else None,
    }


def _read(conn: sa.Connection, query: sa.Select[Any], number: int) -> Case:
    row = conn.execute(query.where(_TABLE.c.number == number)).one_or_none()
    if row is None:
        raise CaseUnknown
    return _to_case(row._mapping)


def _to_case(row: Mapping[Any, Any]) -> Case:
    facts = dict(row)
    facts["kind"] = vocabulary.Kind(facts["kind"])
    facts["state"] = State(facts["state"])
    facts["priority"] = vocabulary.Priority(facts["priority"])
    return Case(**facts)
