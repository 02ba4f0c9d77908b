"""What is known of one recipient: where loaded, corrected, and how far invited.

Only for the provider that has loaded the person; whole lists are in
`loaded_recipients`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import tables
from cvms_pipeline.store import outbox

_TABLE, _CHANGES = tables.recipients, tables.recipient_changes
_MESSAGES = tables.messages


class RecipientUnknown(errors.PermanentError):
    """This provider has no such recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A line of an upload that has corrected the e-mail address."""

    upload_id: str
    source_line: int
    old_email: str
    new_email: str
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The latest invitation; `last_error` is such as `SMTP 550`, or None."""

    id: str
    status: outbox.Status
    last_error: str | None
    queued_at: dt.datetime
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person; `source_line` is the line of the upload that loaded the person.

    Attributes:
        registered_at: When the person registered for a vaccination, or None.
        corrections: The corrections of the address, the latest first.
        invitation: None if there has never been one.
    """

    id: str
    first_name: str
    last_name: str
    birth_date: dt.date
    email: str
    username: str
    upload_id: str
    source_line: int
    loaded_at: dt.datetime
    registered_at: dt.datetime | None
    corrections: Sequence[Correction]
    invitation: Invitation | None


_FACTS = [
    _TABLE.c[field.name]
    for field in fields(Recipient)
    if field.name not in ("corrections", "invitation")
]


def get(conn: sa.Connection, recipient_id: str, *, provider: str) -> Recipient:
    """Return a recipient that `provider` has loaded and that was not removed.

    Raises:
        RecipientUnknown: If there is none with this id.
    """
    is_meant = (_TABLE.c.id == recipient_id) & (_TABLE.c.provider == provider)
    query = sa.select(*_FACTS).where(is_meant, _TABLE.c.removed_at.is_(None))
    row = conn.execute(query).first()
    if row is None:
        raise RecipientUnknown
    changes = _list_changes(conn, recipient_id)
    return Recipient(
        **row._mapping,
        corrections=[
            Correction(**{f.name: row._mapping[f.name] for f in fields(Correction)})
            for row in changes
        ],
        invitation=_find_invitation(conn, [recipient_id, *(row.id for row in changes)]),
    )


def _list_changes(
    conn: sa.Connection, recipient_id: str
) -> Sequence[sa.Row[tuple[object, ...]]]:
    query = sa.select(_CHANGES).where(_CHANGES.c.recipient_id == recipient_id)
    return conn.execute(query.order_by(_CHANGES.c.id.desc())).all()


def _find_invitation(
    conn: sa.Connection, message_ids: Sequence[str]
) -> Invitation | None:
    """Return the latest of these messages: each has its recipient's or change's id."""
    columns = [_MESSAGES.c[field.name] for field in fields(Invitation)]
    query = sa.select(*columns).where(_MESSAGES.c.id.in_(message_ids))
    is_invitation = _MESSAGES.c.kind == outbox.Kind.INVITATION
    latest = query.where(is_invitation).order_by(
        _MESSAGES.c.queued_at.desc(), _MESSAGES.c.id.desc()
    )
    row = conn.execute(latest.limit(1)).first()
    if row is None:
        return None
    facts = {**row._mapping, "status": outbox.Status(row.status)}
    return Invitation(**facts)
