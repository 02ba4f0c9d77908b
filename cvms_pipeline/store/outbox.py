"""The outbox: messages queued with what they tell of, and their delivery's record.

Here live purposes, claims, attempts and back-off; what a message says is
`notify.messages`, how it travels `notify.mailer`, and how it is listed `listing`.
Invitations are queued by the statements that load recipients.
"""

import datetime as dt
import enum
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.store import engine, tables, uploads

LEASE = dt.timedelta(minutes=10)
"""How long a claimed message belongs to its sender."""

_TABLE = tables.messages
_FIRST_WAIT = dt.timedelta(seconds=15)
_LONGEST_WAIT = dt.timedelta(hours=1)
_ERROR_KIND = re.compile(r"[A-Za-z0-9 ._:-]{1,80}")


class Kind(enum.StrEnum):
    """What a message is: to the provider, to a recipient, to data-ops."""

    NOTICE = "notice"
    INVITATION = "invitation"
    ALERT = "alert"


class Status(enum.StrEnum):
    """How far a message has come.

    `refused`: the mail server will never take it.  `withdrawn`: before it was sent
    the recipient's e-mail address was corrected, or the recipient removed.
    """

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A claimed message, with what it takes to write it.

    Attributes:
        id: The message's id.
        purpose: What it is for; at most one message has it.
        kind: What it is.
        upload_id: The upload it tells of, or None.
        recipient_id: The recipient it invites, or None.
        to: Its addresses.
        details: What an alert is about; no personal data.
        attempts: How often sending was tried before.
        queued_at: When it was queued.
        username: The recipient's, or None.
        email: The recipient's, or None.
    """

    id: str
    purpose: str
    kind: Kind
    upload_id: str | None
    recipient_id: str | None
    to: tuple[str, ...]
    details: Mapping[str, Any]
    attempts: int
    queued_at: dt.datetime
    username: str | None
    email: str | None

    @property
    def message_id(self) -> str:
        """Return the `Message-ID`, the same at every attempt."""
        return f"<{self.id}@cvms>"


def queue_notice(
    conn: sa.Connection, told: uploads.Upload, *, now: dt.datetime, data_ops: str
) -> None:
    """Queue the notice of an upload's outcome, once.

    It goes to the provider; where nobody knows the provider, data-ops get an alert
    (`about: provider-unknown`) instead.
    """
    if told.provider is None:
        about = {"about": "provider-unknown", "folder": told.folder}
        queue_alert(
            conn,
            f"provider-unknown:{told.id}",
            data_ops,
            now=now,
            upload_id=told.id,
            details=about,
        )
        return
    emails = sa.select(tables.providers.c.emails).where(
        tables.providers.c.slug == told.provider
    )
    _queue(
        conn,
        purpose=f"notice:{told.id}",
        kind=Kind.NOTICE,
        addresses=conn.scalars(emails).one(),
        upload_id=told.id,
        now=now,
    )


def queue_alert(
    conn: sa.Connection,
    purpose: str,
    to: str,
    *,
    now: dt.datetime,
    upload_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> bool:
    """Queue an alert to data-ops, once a purpose.

    Args:
        conn: The transaction.
        purpose: What it is for, such as `run-failed:<run id>`.
        to: The address.
        now: When.
        upload_id: The upload it is about, or None.
        details: What the message will say; no personal data.

    Returns:
        Whether it is new.
    """
    return _queue(
        conn,
        purpose=f"alert:{purpose}",
        kind=Kind.ALERT,
        addresses=[to],
        upload_id=upload_id,
        now=now,
        details=dict(details or {}),
    )


def waiting(
    conn: sa.Connection, now: dt.datetime
) -> Mapping[Kind, Sequence[str | None]]:
    """Return for each kind the uploads with messages due, in turns; None: of none."""
    is_due = (_TABLE.c.status == Status.WAITING) & (_TABLE.c.next_attempt_at <= now)
    some = sa.select(_TABLE.c.kind, _TABLE.c.upload_id).where(is_due).distinct()
    due, upload = some.subquery("due"), tables.uploads
    turn = sa.func.row_number().over(
        partition_by=(due.c.kind, upload.c.folder), order_by=due.c.upload_id
    )
    query = sa.select(due).outerjoin(upload, upload.c.id == due.c.upload_id)
    found: dict[Kind, list[str | None]] = {kind: [] for kind in Kind}
    for kind, upload_id in conn.execute(query.order_by(turn, due.c.upload_id)):
        found[Kind(kind)].append(upload_id)
    return found


def due(
    conn: sa.Connection,
    *,
    kinds: Collection[Kind],
    now: dt.datetime,
    limit: int,
    upload_id: str | None = None,
    lease: dt.timedelta = LEASE,
) -> Sequence[Due]:
    """Claim up to `limit` messages that are due, the longest waiting first.

    They belong to the caller until the transaction ends, and, once it is committed,
    until the lease is over.
    """
    facts = {
        "kinds": [kind.value for kind in kinds],
        "now": now,
        "limit": limit,
        "upload_id": upload_id,
        "leased_until": now + lease,
    }
    while True:
        claimed = conn.execute(engine.statement("claim_messages"), facts).all()
        current = [_due(row._mapping) for row in claimed if not row.is_outdated]
        if current or not claimed:
            return sorted(current, key=lambda each: (each.queued_at, each.id))


def mark_sent(
    conn: sa.Connection, message_ids: Sequence[str], now: dt.datetime
) -> None:
    """Record that the mail server has taken these messages."""
    _record(conn, message_ids, status=Status.SENT.value, sent_at=now, last_error=None)


def mark_attempt(
    conn: sa.Connection, message_id: str, error_kind: str, next_attempt_at: dt.datetime
) -> None:
    """Record that sending failed for now, and when to try again.

    Args:
        conn: The transaction.
        message_id: The message's id.
        error_kind: A class's name or an SMTP code; anything else is not kept.
        next_attempt_at: See `retry_at`.
    """
    _record(
        conn,
        [message_id],
        last_error=_error_kind(error_kind),
        next_attempt_at=next_attempt_at,
    )


def mark_refused(conn: sa.Connection, message_id: str, error_kind: str) -> None:
    """Record that the mail server will never take the message (SMTP 5xx)."""
    _record(
        conn,
        [message_id],
        status=Status.REFUSED.value,
        last_error=_error_kind(error_kind),
    )


def retry_at(attempts: int, now: dt.datetime) -> dt.datetime:
    """Return when to try again after `attempts` earlier ones and one more.

    After a quarter of a minute, then half a minute, one, two and on, at most an hour.
    """
    factor: int = 2 ** min(attempts, 20)
    return now + min(_FIRST_WAIT * factor, _LONGEST_WAIT)


def has_put_off(conn: sa.Connection, error_kind: str) -> bool:
    """Return whether messages wait because of that error."""
    is_put_off = (_TABLE.c.status == Status.WAITING) & (
        _TABLE.c.last_error == error_kind
    )
    return conn.scalar(sa.select(_TABLE.c.id).where(is_put_off).limit(1)) is not None


def hurry(
    conn: sa.Connection, error_kind: str, *, now: dt.datetime, tried_before: dt.datetime
) -> int:
    """Make messages due that wait because of that error; return how many.

    Only those that were last tried before `tried_before`.
    """
    facts = {
        "error_kind": error_kind,
        "now": now,
        "tried_before": tried_before,
        "first_wait": _FIRST_WAIT,
        "longest_wait": _LONGEST_WAIT,
    }
    return conn.execute(engine.statement("hurry_messages"), facts).rowcount


def _queue(
    conn: sa.Connection, *, now: dt.datetime, details: Any = None, **facts: Any
) -> bool:
    values = {
        **facts,
        "details": details or {},
        "queued_at": now,
        "next_attempt_at": now,
    }
    queued = pg.insert(_TABLE).values(values)
    once = queued.on_conflict_do_nothing(
        index_elements=["purpose"], index_where=sa.text(tables.HAS_PURPOSE_ONCE)
    )
    return conn.execute(once).rowcount == 1


def _record(conn: sa.Connection, message_ids: Sequence[str], **values: object) -> None:
    if not message_ids:
        return
    is_waiting = _TABLE.c.status == Status.WAITING
    conn.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id.in_(message_ids), is_waiting)
        .values(attempts=_TABLE.c.attempts + 1, **values)
    )


def _error_kind(text: str) -> str:
    return text if _ERROR_KIND.fullmatch(text) else "unknown"


def _due(row: Mapping[Any, Any]) -> Due:
    facts = {name: row[name] for name in row if name in Due.__dataclass_fields__}
    to = tuple(row["addresses"])
    return Due(**{**facts, "kind": Kind(row["kind"]), "to": to})
