"""Who may set the password of which recipient: links, the mark of a password, denials.

A recipient's current link is named by the id of the message that carried it.  The
first invitation has the id of its recipient, and is current until another link goes out
or a password is set: so loading an upload and sending its invitations writes nothing
more.  Accounts and passwords are in the portal's own tables.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from cvms_pipeline.database import engine, tables
from cvms_pipeline.store import outbox, recipients

_statement = engine.load_statements(__package__)
_TABLE, _MESSAGES = tables.recipients, tables.messages
_MAX_OF_AN_ADDRESS = 50
LINK = "link"
"""What a message to a recipient is about that carries a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A recipient, as far as links and log-ins need it.

    Attributes:
        link_id: The message with the newest link that went out, if that was not the
            first invitation; None, too, once a link was used.
        denied_at: When somebody at the present address said that it is another person.
    """

    id: str
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    email: str = field(repr=False)
    username: str = field(repr=False)
    provider: str
    upload_id: str
    source_line: int
    link_id: str | None
    language: str | None
    password_set_at: dt.datetime | None
    registered_at: dt.datetime | None
    denied_at: dt.datetime | None
    removed_at: dt.datetime | None

    @property
    def current_link(self) -> str | None:
        """Return the id of the link that works, or None once it was used."""
        return self.link_id or (None if self.password_set_at else self.id)

    @property
    def is_reachable(self) -> bool:
        """Return whether messages are sent to the recipient."""
        return self.removed_at is None and self.denied_at is None


_FACTS = [_TABLE.c[each.name] for each in fields(Recipient)]


def find(
    conn: sa.Connection, recipient_id: str, *, is_locked: bool = False
) -> Recipient | None:
    """Return a recipient, removed or not; None if there is none.

    With `is_locked` nobody else corrects, removes or registers it until the commit.
    """
    query = sa.select(*_FACTS).where(_TABLE.c.id == recipient_id)
    if is_locked:
        query = query.with_for_update(key_share=True)
    row = conn.execute(query).one_or_none()
    return None if row is None else Recipient(**row._mapping)


def find_provider(conn: sa.Connection, slug: str) -> tuple[str, str]:
    """Return the name and the VFC PIN of a provider."""
    query = sa.select(tables.providers.c.name, tables.providers.c.vfc_pin)
    row = conn.execute(query.where(tables.providers.c.slug == slug)).one()
    return row.name, row.vfc_pin


def list_by_name(conn: sa.Connection, typed: str) -> Sequence[Recipient]:
    """Return whoever has this username, or this e-mail address; removed ones not.

    Args:
        conn: The transaction.
        typed: What somebody has typed, in any case of letters.
    """
    values = {
        "typed": typed,
        "suffix": recipients.USERNAME_SUFFIX,
        "limit": _MAX_OF_AN_ADDRESS,
    }
    found = conn.execute(_statement("find_by_name"), values)
    return [Recipient(**row._mapping) for row in found]


def issue_link(conn: sa.Connection, message: outbox.ClaimedMessage) -> None:
    """Make the link in a message the recipient's only one, before it is sent."""
    is_current = sa.func.coalesce(_TABLE.c.link_id, _TABLE.c.id) == message.id
    meant = sa.update(_TABLE).where(
        _TABLE.c.id == message.recipient_id,
        _TABLE.c.email == message.to[0],
        _TABLE.c.removed_at.is_(None),
        ~is_current,
    )
    if message.kind is outbox.Kind.INVITATION:
        meant = meant.where(_TABLE.c.password_set_at.is_(None))
    conn.execute(meant.values(link_id=message.id))


def use_link(
    conn: sa.Connection,
    recipient_id: str,
    *,
    link_id: str,
    email: str,
    now: dt.datetime,
) -> bool:
    """Record that a password is set with a link, if the link still works.

    It waits for whoever corrects, removes or registers the recipient, and then looks
    again: of two who use one link, one gets it.

    Args:
        conn: The transaction.
        recipient_id: The recipient.
        link_id: The link's own id.
        email: The address that the link is bound to.
        now: The time that is recorded, if it is the first password.
    """
    values = {
        "recipient_id": recipient_id,
        "link_id": link_id,
        "email": email,
        "now": now,
    }
    return conn.execute(_statement("use_link"), values).rowcount == 1


def deny(conn: sa.Connection, recipient_id: str, *, now: dt.datetime) -> None:
    """Record that the address is not the recipient's; it gets no more messages."""
    _change(conn, recipient_id, denied_at=now)


def set_language(conn: sa.Connection, recipient_id: str, language: str) -> None:
    """Record in which language a recipient is written to; nothing of a removed one."""
    _change(conn, recipient_id, language=language)


def mark_registered(
    conn: sa.Connection, recipient_id: str, *, now: dt.datetime
) -> None:
    """Record when the registration was sent."""
    _change(conn, recipient_id, registered_at=now)


def has_waiting_link(conn: sa.Connection, recipient_id: str) -> bool:
    """Return whether a message with a link that was asked for waits to be sent."""
    is_meant = (
        (_MESSAGES.c.recipient_id == recipient_id)
        & (_MESSAGES.c.recipient_id != _MESSAGES.c.id)
        & (_MESSAGES.c.kind == outbox.Kind.RECIPIENT)
        & (_MESSAGES.c.status == outbox.Status.WAITING)
        & (_MESSAGES.c.details["about"].astext == LINK)
    )
    return bool(conn.scalar(sa.select(sa.exists().where(is_meant))))


def _change(conn: sa.Connection, recipient_id: str, **values: Any) -> None:
    is_meant = (_TABLE.c.id == recipient_id) & _TABLE.c.removed_at.is_(None)
    changed: Mapping[str, Any] = values
    conn.execute(sa.update(_TABLE).where(is_meant).values(**changed))
