"""What is known of one recipient: where loaded, corrected, and how far invited.

Only for the provider that has loaded the person; whole lists are in
`loaded_recipients`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import tables
from cvms_pipeline.store import outbox
from cvms_pipeline.store.provider_reads import steps

_TABLE, _CHANGES = tables.recipients, tables.recipient_changes


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
        password_set_at: When the person first set a password, or None; no upload
            changes the address from then on.
        registered_at: When the person registered for a vaccination, or None.
        denied_at: When somebody at the address has said that it is not them, or None.
        corrections: The corrections of the address, the latest first.
        invitation: None if there has never been one.
    """

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    birth_date: dt.date = field(repr=False)
    email: str = field(repr=False)
    username: str = field(repr=False)
    upload_id: str
    source_line: int
    loaded_at: dt.datetime
    password_set_at: dt.datetime | None
    registered_at: dt.datetime | None
    denied_at: dt.datetime | None
    corrections: Sequence[Correction]
    invitation: Invitation | None

    @property
    def step(self) -> steps.Step:
        """Return how far the person is."""
        return steps.find_step(
            password_set_at=self.password_set_at,
            registered_at=self.registered_at,
            denied_at=self.denied_at,
            invitation=None if self.invitation is None else self.invitation.status,
        )


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
        invitation=_find_invitation(conn, recipient_id),
    )


def lock(conn: sa.Connection, recipient_id: str, *, provider: str) -> Recipient:
    """Return a recipient like `get`; nobody else changes it until the transaction ends.

    Raises:
        RecipientUnknown: If there is none with this id.
    """
    is_meant = _TABLE.c.id == recipient_id
    conn.execute(sa.select(_TABLE.c.id).where(is_meant).with_for_update(key_share=True))
    return get(conn, recipient_id, provider=provider)


def _list_changes(
    conn: sa.Connection, recipient_id: str
) -> Sequence[sa.Row[tuple[object, ...]]]:
    query = sa.select(_CHANGES).where(_CHANGES.c.recipient_id == recipient_id)
    return conn.execute(query.order_by(_CHANGES.c.id.desc())).all()


def _find_invitation(conn: sa.Connection, recipient_id: str) -> Invitation | None:
    row = steps.find_invitations(conn, [recipient_id]).get(recipient_id)
    if row is None:
        return None
    facts = {f.name: row._mapping[f.name] for f in fields(Invitation)}
    return Invitation(**facts | {"status": outbox.Status(row.status)})
