"""Removing a recipient, in the transaction that records the approval.

The record stays, and so do the counts of its upload.  Locks are taken in the order in
which uploads are loaded: the recipient, its invitations, the provider; before them the
turn of everybody who takes people out (`store.chain.withdrawals` waits for it, too).
"""

import datetime as dt
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.store.removals import requests

_statement = engine.load_statements(__package__)
_TABLE, _PEOPLE = tables.removals, tables.recipients
_STATEMENTS = (
    "mark_removed",
    "end_invitations",
    "lock_refusals",
    "leave_out_refusals",
)
_WAIT_FOR_TURN = sa.text("SELECT cvms.wait_for_turn()")


class SameAccount(errors.PermanentError):
    """Another person than the one who has asked for the removal has to approve it."""


def remove(
    conn: sa.Connection, case_number: int, *, approved_by: str, now: dt.datetime
) -> requests.Removal:
    """Remove the recipient for whom a case has asked; another person approves.

    From the commit on nobody finds, invites, corrects or matches the recipient, and an
    upload may load the person again as new.

    Args:
        conn: The transaction.
        case_number: The case.
        approved_by: The account that approves.
        now: The time that is recorded.

    Returns:
        The removal as it was, waiting for approval.

    Raises:
        NothingAsked: If no removal waits for approval in this case.
        SameAccount: If the account is the one that has asked.
    """
    conn.execute(_WAIT_FOR_TURN)
    asked = requests.lock_waiting(conn, case_number)
    if asked.asked_by == approved_by:
        raise SameAccount
    person = _lock(conn, asked.recipient_id)
    if person is None:
        raise requests.RecipientUnknown
    is_meant = _TABLE.c.recipient_id == asked.recipient_id
    approved = {"approved_by": approved_by, "approved_at": now}
    conn.execute(sa.update(_TABLE).where(is_meant).values(**approved))
    _end(conn, person, now)
    return asked


def repeat(conn: sa.Connection, done: requests.Removal) -> bool:
    """Do a removal again that was done after a backup, once that is restored.

    Returns:
        Whether somebody was removed; not if there is nobody, or the removal is there.
    """
    conn.execute(_WAIT_FOR_TURN)
    person = _lock(conn, done.recipient_id)
    if person is None or done.approved_at is None:
        return False
    is_waiting = (_TABLE.c.recipient_id == done.recipient_id) | (
        (_TABLE.c.case_number == done.case_number) & _TABLE.c.approved_at.is_(None)
    )
    conn.execute(sa.delete(_TABLE).where(is_waiting))
    facts = {**asdict(done), "erased_at": None}
    conn.execute(sa.insert(_TABLE).values(**facts))
    _end(conn, person, done.approved_at)
    return True


def _end(conn: sa.Connection, person: sa.Row[Any], now: dt.datetime) -> None:
    """Take a locked recipient out of matching, invitations and counts."""
    values = {"recipient_id": person.id, "now": now, "provider": person.provider}
    for name in _STATEMENTS:
        conn.execute(_statement(name), values)
    counts = tables.providers.c
    left = {
        counts.recipients: counts.recipients - 1,
        counts.passwords_set: counts.passwords_set - person.passwords,
        counts.registered: counts.registered - person.registrations,
    }
    counted = sa.update(tables.providers).where(counts.slug == person.provider)
    conn.execute(counted.values(left))


def _lock(conn: sa.Connection, recipient_id: str) -> sa.Row[Any] | None:
    """Lock a recipient who was not removed; return its facts, or None."""
    is_meant = (_PEOPLE.c.id == recipient_id) & _PEOPLE.c.removed_at.is_(None)
    steps = (
        sa.cast(_PEOPLE.c[name].is_not(None), sa.Integer).label(label)
        for name, label in (
            ("password_set_at", "passwords"),
            ("registered_at", "registrations"),
        )
    )
    query = sa.select(_PEOPLE.c.id, _PEOPLE.c.provider, *steps)
    return conn.execute(query.where(is_meant).with_for_update()).first()
