"""Removals that were asked for, approved or dropped: one for each case, by its number.

What an approval does to the recipient is `removing`; erasing is `erasing`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables

_statement = engine.load_statements(__package__)
_TABLE, _PEOPLE = tables.removals, tables.recipients
_ASKED_TWICE = "pk_removals"


class RecipientUnknown(errors.PermanentError):
    """There is no such recipient, or the recipient was removed already."""


class AskedAlready(errors.PermanentError):
    """The removal of this recipient was asked for already.

    Attributes:
        case_number: The number of that case.
    """

    case_number: int | None = None


class NothingAsked(errors.PermanentError):
    """No removal waits for approval in this case."""


class RemovedAlready(errors.PermanentError):
    """This case has removed a recipient already; each further one needs its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A removal: waiting for approval until `approved_at`.

    Attributes:
        asked_by: The account that has asked, as `approved_by` is another one.
        erased_at: When the names, the birth date and the addresses were erased.
    """

    recipient_id: str
    case_number: int
    asked_by: str
    asked_at: dt.datetime
    approved_by: str | None
    approved_at: dt.datetime | None
    erased_at: dt.datetime | None


_COLUMNS = [_TABLE.c[field.name] for field in fields(Removal)]


def find(conn: sa.Connection, case_number: int) -> Removal | None:
    """Return the removal of a case, or None if nobody has asked for one."""
    query = sa.select(*_COLUMNS).where(_TABLE.c.case_number == case_number)
    row = conn.execute(query).first()
    return None if row is None else Removal(**row._mapping)


def lock_waiting(conn: sa.Connection, case_number: int) -> Removal:
    """Return the removal of a case that waits for approval, and lock it.

    Raises:
        NothingAsked: If none waits.
    """
    is_meant = (_TABLE.c.case_number == case_number) & _TABLE.c.approved_at.is_(None)
    query = sa.select(*_COLUMNS).where(is_meant).with_for_update()
    row = conn.execute(query).first()
    if row is None:
        raise NothingAsked
    return Removal(**row._mapping)


def ask(
    conn: sa.Connection,
    case_number: int,
    recipient_id: str,
    *,
    asked_by: str,
    now: dt.datetime,
) -> None:
    """Record that a case asks for the removal of a recipient.

    Until it is approved it may ask for another one instead.

    Raises:
        RecipientUnknown: If there is no such recipient, or a removed one.
        AskedAlready: If another case has asked for the same.
        RemovedAlready: If this case has removed somebody.
    """
    _hold(conn, recipient_id)
    _check_other_case(conn, case_number, recipient_id)
    values = {
        "recipient_id": recipient_id,
        "case_number": case_number,
        "asked_by": asked_by,
        "now": now,
    }
    with engine.suppress_lost_race([_ASKED_TWICE]):
        if conn.scalar(_statement("ask_removal"), values) is None:
            raise RemovedAlready
        return
    raise AskedAlready


def drop(conn: sa.Connection, case_number: int) -> None:
    """Forget the removal of a case that waits for approval.

    Raises:
        NothingAsked: If none waits.
    """
    lock_waiting(conn, case_number)
    conn.execute(sa.delete(_TABLE).where(_TABLE.c.case_number == case_number))


def list_done(
    conn: sa.Connection, *, since: dt.datetime | None = None, limit: int | None = None
) -> Sequence[Removal]:
    """Return the removals that were approved since a moment, the latest first."""
    query = sa.select(*_COLUMNS).where(_TABLE.c.approved_at.is_not(None))
    if since is not None:
        query = query.where(_TABLE.c.approved_at >= since)
    latest = query.order_by(_TABLE.c.approved_at.desc(), _TABLE.c.recipient_id)
    return [Removal(**row._mapping) for row in conn.execute(latest.limit(limit))]


def _hold(conn: sa.Connection, recipient_id: str) -> None:
    """Keep the recipient from being taken out until the transaction ends."""
    is_meant = (_PEOPLE.c.id == recipient_id) & _PEOPLE.c.removed_at.is_(None)
    query = sa.select(_PEOPLE.c.id).where(is_meant)
    if conn.scalar(query.with_for_update(read=True, key_share=True)) is None:
        raise RecipientUnknown


def _check_other_case(conn: sa.Connection, case_number: int, recipient_id: str) -> None:
    query = sa.select(_TABLE.c.case_number).where(
        _TABLE.c.recipient_id == recipient_id, _TABLE.c.case_number != case_number
    )
    number = conn.scalar(query)
    if number is not None:
        error = AskedAlready()
        error.case_number = number
        raise error
