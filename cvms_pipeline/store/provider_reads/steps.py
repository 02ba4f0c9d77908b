"""How far recipients are: of several at once, and as a rule for a list.

What counts is the newest invitation of each.  The first one has the recipient's id; all
others have the recipient's id beside their own.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import columns, engine, tables
from cvms_pipeline.domain.vocabulary import message_kinds, steps
from cvms_pipeline.store import outbox

Step = steps.Step

_statement = engine.load_statements(__package__)
_PEOPLE, _MESSAGES = tables.recipients, tables.messages
_OF_INVITATIONS = {status: Step(status.value) for status in outbox.Status}


def find_step(
    *,
    password_set_at: dt.datetime | None,
    registered_at: dt.datetime | None,
    denied_at: dt.datetime | None,
    invitation: outbox.Status | None,
) -> Step:
    """Return how far somebody is, of whose newest invitation the status is this."""
    if registered_at is not None:
        return Step.REGISTERED
    if password_set_at is not None:
        return Step.PASSWORD_SET
    if denied_at is not None:
        return Step.DENIED
    return Step.NONE if invitation is None else _OF_INVITATIONS[invitation]


def find_invitations(
    conn: sa.Connection, recipient_ids: Collection[str]
) -> Mapping[str, sa.Row[Any]]:
    """Return the newest invitation of each recipient that has one, by recipient."""
    rows = conn.execute(_statement("find_invitations"), {"ids": list(recipient_ids)})
    return {row.recipient_id: row for row in rows}


def make_rule(step: Step, provider: str) -> list[sa.ColumnElement[bool]]:
    """Return what is true of a provider's recipients, not removed, at a step."""
    has_password = _PEOPLE.c.password_set_at.is_not(None)
    is_registered = _PEOPLE.c.registered_at.is_not(None)
    is_denied = _PEOPLE.c.denied_at.is_not(None)
    if step is Step.REGISTERED:
        return [has_password, is_registered]
    if step is Step.PASSWORD_SET:
        return [has_password, ~is_registered]
    if step is Step.DENIED:
        return [~has_password, is_denied]
    waiting = _select_unsent(outbox.Status.WAITING, provider)
    refused = _select_unsent(outbox.Status.REFUSED, provider).where(
        _MESSAGES.c.recipient_id.is_not(None),
        _MESSAGES.c.details["provider"].astext == provider,  # there is an index
    )
    rules = [~has_password, ~is_denied]
    if step in (Step.WAITING, Step.REFUSED):
        # As an array, so that these few are found first: everybody would be read.
        found = waiting if step is Step.WAITING else refused
        ids = sa.func.array(found.scalar_subquery(), type_=pg.ARRAY(columns.Uuid))
        return [*rules, _PEOPLE.c.id == sa.any_(ids)]
    return [*rules, _PEOPLE.c.id.not_in(waiting), _PEOPLE.c.id.not_in(refused)]


def _select_unsent(status: outbox.Status, provider: str) -> sa.Select[Any]:
    """Return whose newest invitation, to the present address, has this status."""
    later, recipient = _MESSAGES.alias("later"), tables.recipients.alias("invited")
    is_newer = (
        (later.c.recipient_id == _MESSAGES.c.recipient_id)
        & (later.c.recipient_id != later.c.id)
        & (later.c.kind == message_kinds.Kind.INVITATION)
        & (later.c.queued_at > _MESSAGES.c.queued_at)
    )
    joined = _MESSAGES.join(recipient, recipient.c.id == _MESSAGES.c.recipient_id)
    return (
        sa.select(_MESSAGES.c.recipient_id)
        .select_from(joined)
        .where(
            _MESSAGES.c.kind == message_kinds.Kind.INVITATION,
            # Written out, so that the planner sees that the partial index has them.
            sa.text(f"messages.status = '{status.value}'"),
            recipient.c.provider == provider,
            _MESSAGES.c.addresses == pg.array([recipient.c.email]),
            ~sa.exists().where(is_newer),
        )
    )
