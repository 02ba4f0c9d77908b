"""What recipients have answered in the form, and forms that were paused.

Only their owners read them: no search, no list and no other person's page uses this.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import tables
from cvms_pipeline.domain.vocabulary import registration

_SENT, _DRAFTS = tables.registrations, tables.registration_drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A form that was paused.

    Attributes:
        step: Where the recipient was; one of `registration.Step`.
        answers: What was typed so far, by the names of `registration.FIELDS`.
    """

    step: str
    answers: Mapping[str, Any] = field(repr=False)
    saved_at: dt.datetime


def find(conn: sa.Connection, recipient_id: str) -> registration.Answers | None:
    """Return what a recipient has sent, or None."""
    columns = [_SENT.c[name] for name in registration.FIELDS]
    query = sa.select(*columns).where(_SENT.c.recipient_id == recipient_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return registration.Answers(**{**row._mapping, "races": tuple(row.races)})


def save(
    conn: sa.Connection,
    recipient_id: str,
    answers: registration.Answers,
    *,
    now: dt.datetime,
) -> None:
    """Keep what a recipient has sent, in place of what was sent before."""
    facts = {**asdict(answers), "races": list(answers.races)}
    added = pg.insert(_SENT).values(recipient_id=recipient_id, sent_at=now, **facts)
    changed = {**facts, "changed_at": now}
    conn.execute(
        added.on_conflict_do_update(index_elements=["recipient_id"], set_=changed)
    )


def find_draft(conn: sa.Connection, recipient_id: str) -> Draft | None:
    """Return the form that a recipient has paused, or None."""
    query = sa.select(_DRAFTS.c.step, _DRAFTS.c.answers, _DRAFTS.c.saved_at)
    row = conn.execute(query.where(_DRAFTS.c.recipient_id == recipient_id)).first()
    return None if row is None else Draft(**row._mapping)


def save_draft(
    conn: sa.Connection,
    recipient_id: str,
    *,
    step: str,
    answers: Mapping[str, Any],
    now: dt.datetime,
) -> None:
    """Keep a form that is paused, in place of an earlier one."""
    facts = {"step": step, "answers": dict(answers), "saved_at": now}
    added = pg.insert(_DRAFTS).values(recipient_id=recipient_id, **facts)
    conn.execute(
        added.on_conflict_do_update(index_elements=["recipient_id"], set_=facts)
    )


def drop_draft(conn: sa.Connection, recipient_id: str) -> None:
    """Forget a form that was paused."""
    is_meant = _DRAFTS.c.recipient_id == recipient_id
    conn.execute(sa.delete(_DRAFTS).where(is_meant))


def count_old_drafts(conn: sa.Connection, *, before: dt.datetime) -> int:
    """Return how many drafts were last saved before a moment."""
    query = sa.select(sa.func.count()).select_from(_DRAFTS)
    return conn.scalar(query.where(_DRAFTS.c.saved_at < before)) or 0


def drop_old_drafts(
    conn: sa.Connection, *, before: dt.datetime, limit: int
) -> Sequence[str]:
    """Forget up to `limit` drafts that were last saved before a moment."""
    old = sa.select(_DRAFTS.c.recipient_id).where(_DRAFTS.c.saved_at < before)
    some = old.limit(limit).with_for_update(skip_locked=True)
    dropped = sa.delete(_DRAFTS).where(_DRAFTS.c.recipient_id.in_(some))
    return conn.scalars(dropped.returning(_DRAFTS.c.recipient_id)).all()
