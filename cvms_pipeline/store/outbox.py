"""The outbox: messages that wait to be sent, and the result of each attempt.

Here live purposes, claims, attempts and the time of the next attempt.  The text of a
message is composed in `mail`, and sent from there; `listing` lists messages.
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

from cvms_pipeline import errors
from cvms_pipeline.database import engine, tables
from cvms_pipeline.domain.vocabulary import message_kinds, reasons
from cvms_pipeline.store import uploads

_statement = engine.load_statements(__package__)
_TABLE = tables.messages
_FIRST_WAIT = dt.timedelta(seconds=15)
MAX_WAIT = dt.timedelta(hours=1)
_GROWTH = 1.5
"""The next attempt comes before twice the time since the first: a server that accepts
an address only some minutes after the first attempt (greylisting) gets it soon."""


Kind = message_kinds.Kind

_ERROR_KIND = re.compile(r"[A-Za-z0-9 ._:-]{1,80}")


class NotRefused(errors.PermanentError):
    """There is no refused message with this id."""


class Status(enum.StrEnum):
    """The state of a message."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"  # the mail server will never accept it
    WITHDRAWN = "withdrawn"  # the address was corrected, or the recipient removed


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMessage:
    """A message that only the one who claimed it may send now.

    Attributes:
        purpose: Why it is sent, such as `notice:<upload id>`; unique.
        kind: To whom it is sent.
        details: The facts of an alert; no personal data.
        attempts: How many attempts to send it have failed.
        username: The recipient's, if it is to one; so are `first_name`, `link_id` (the
            message with the newest link) and `language`.
        provider: The name of the provider that registered this recipient.
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
    first_name: str | None = None
    provider: str | None = None
    link_id: str | None = None
    language: str | None = None


def queue_notice(
    conn: sa.Connection, decided: uploads.Upload, *, now: dt.datetime, data_ops: str
) -> None:
    """Queue the notice of an upload's outcome, once.

    It goes to the provider, and to who has sent the file to the help desk, if it came
    so; where the provider is unknown, data-ops get an alert
    (`about: provider-unknown`) instead.  Of files that may not be read they get an
    alert (`about: not-readable`), too, at most one a day for each provider.
    """
    if decided.provider is None:
        queue_alert(
            conn,
            f"provider-unknown:{decided.id}",
            data_ops,
            now=now,
            upload_id=decided.id,
            details={"about": "provider-unknown", "folder": decided.folder},
        )
        return
    if decided.claim_refusal == reasons.NOT_READABLE:
        queue_alert(
            conn,
            f"not-readable:{decided.provider}:{now:%Y-%m-%d}",
            data_ops,
            now=now,
            upload_id=decided.id,
            details={"about": "not-readable", "provider": decided.provider},
        )
    queue(
        conn,
        purpose=f"notice:{decided.id}",
        kind=Kind.NOTICE,
        addresses=_find_notice_addresses(conn, decided.id, decided.provider),
        upload_id=decided.id,
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
    """Queue an alert to data-ops; does nothing if its purpose was queued before.

    Args:
        conn: The transaction.
        purpose: Such as `run-failed:<run id>`.
        to: The address.
        now: The time that is recorded.
        upload_id: The upload it is about, or None.
        details: The facts for the message; no personal data.

    Returns:
        Whether it is new.
    """
    return queue(
        conn,
        purpose=f"alert:{purpose}",
        kind=Kind.ALERT,
        addresses=[to],
        upload_id=upload_id,
        now=now,
        details=dict(details or {}),
    )


def claim(
    conn: sa.Connection,
    kind: Kind,
    *,
    now: dt.datetime,
    lease: dt.timedelta,
    limit: int,
    upload_id: str | None = None,
) -> Sequence[ClaimedMessage]:
    """Claim up to `limit` messages that are due, the longest waiting first.

    After the commit nobody else can claim them until `lease` is over.
    """
    values = {
        "kind": kind.value,
        "now": now,
        "limit": limit,
        "upload_id": upload_id,
        "leased_until": now + lease,
    }
    while True:
        claimed = conn.execute(_statement("claim_messages"), values).all()
        current = [_to_message(row._mapping) for row in claimed if not row.is_outdated]
        if current or not claimed:
            return sorted(current, key=lambda message: (message.queued_at, message.id))


def mark_sent(
    conn: sa.Connection, message_ids: Sequence[str], now: dt.datetime
) -> None:
    """Record that the mail server has accepted these messages.

    Also one that was withdrawn while it was being sent: its recipient was removed.
    """
    sent = {"status": Status.SENT.value, "sent_at": now, "last_error": None}
    _record(conn, message_ids, Status.WAITING, Status.WITHDRAWN, **sent)


def postpone(
    conn: sa.Connection,
    message: ClaimedMessage,
    error_kind: str,
    now: dt.datetime,
    *,
    to: Sequence[str] | None = None,
) -> None:
    """Record that sending failed for now; the message waits for its next attempt.

    The first wait is 15 seconds; each further one is half as long again, up to an hour.

    Args:
        conn: The transaction.
        message: The message.
        error_kind: A class's name or an SMTP code; any other text is not stored.
        now: When it failed.
        to: The addresses that it still has to be sent to, if it was sent to others.
    """
    error, until = _to_error_kind(error_kind), now + get_wait(message.attempts)
    values: dict[str, object] = {"last_error": error, "next_attempt_at": until}
    if to is not None:
        values["addresses"] = list(to)
    _record(conn, [message.id], **values)


def release(
    conn: sa.Connection,
    messages: Sequence[ClaimedMessage],
    *,
    leased_until: dt.datetime,
    now: dt.datetime,
) -> None:
    """Make claimed messages due now that their sender has not begun to send.

    A message is left as it is if another sender has claimed it since.
    """
    is_ours = (
        _TABLE.c.id.in_([message.id for message in messages])
        & (_TABLE.c.status == Status.WAITING)
        & (_TABLE.c.next_attempt_at == leased_until)
    )
    conn.execute(sa.update(_TABLE).where(is_ours).values(next_attempt_at=now))


def mark_refused(conn: sa.Connection, message_id: str, error_kind: str) -> bool:
    """Record that the mail server will never accept the message (SMTP 5xx).

    Return False if another outcome of it was recorded before.
    """
    error = _to_error_kind(error_kind)
    return _record(conn, [message_id], status=Status.REFUSED.value, last_error=error)


def resend(
    conn: sa.Connection,
    message_ids: Collection[str],
    *,
    now: dt.datetime,
    data_ops: str,
    help_desk: str | None,
) -> None:
    """Make refused messages due now, all of them or none.

    What is for a provider is sent to its current addresses, alerts to `data_ops`, and
    what is for the help desk to `help_desk`, if it has an address.

    Raises:
        NotRefused: If one of the ids is no message, or one that was not refused.
    """
    values = {
        "message_ids": list(message_ids),
        "now": now,
        "data_ops": data_ops,
        "help_desk": None if help_desk is None else [help_desk],
    }
    found = conn.execute(_statement("resend_messages"), values).all()
    for missing in sorted(set(message_ids) - {each.id for each in found}):
        raise NotRefused(
            f"There is no refused message {missing!r}, so nothing is sent again. See"
            " `cvms messages --refused`."
        )
    for each in found:
        if each.kind == Kind.NOTICE:
            _address_notice(conn, each)


def _address_notice(conn: sa.Connection, notice: sa.Row[Any]) -> None:
    """Send a notice to where it would go if it were queued now."""
    addresses = _find_notice_addresses(conn, notice.upload_id, notice.provider)
    if addresses is not None:
        is_meant = _TABLE.c.id == notice.id
        conn.execute(sa.update(_TABLE).where(is_meant).values(addresses=addresses))


def _find_notice_addresses(
    conn: sa.Connection, upload_id: str, provider: str | None
) -> list[str] | None:
    """Return where the notice of an upload goes; None if there is no such provider."""
    about = {"upload_id": upload_id, "provider": provider}
    addresses: list[str] | None = conn.scalar(
        _statement("find_notice_addresses"), about
    )
    return addresses


def invite_again(conn: sa.Connection, recipient_id: str, *, now: dt.datetime) -> str:
    """Queue another invitation to the present address; return its id."""
    values = {"recipient_id": recipient_id, "now": now}
    queued: str = conn.execute(_statement("invite_again"), values).scalar_one()
    return queued


def get_wait(attempts: int) -> dt.timedelta:
    """Return the wait after an attempt that was preceded by so many."""
    return errors.backoff(attempts, first=_FIRST_WAIT, longest=MAX_WAIT, growth=_GROWTH)


def queue(conn: sa.Connection, *, now: dt.datetime, **facts: Any) -> bool:
    """Queue a message with these columns; return False if its purpose was queued."""
    queued = pg.insert(_TABLE).values(queued_at=now, next_attempt_at=now, **facts)
    return conn.execute(queued.on_conflict_do_nothing()).rowcount == 1


def _record(
    conn: sa.Connection,
    message_ids: Sequence[str],
    *statuses: Status,
    **values: object,
) -> bool:
    """Record an attempt; return whether one of the messages still waited.

    With `statuses`: had one of them.
    """
    had_status = _TABLE.c.status.in_(statuses or (Status.WAITING,))
    is_meant = _TABLE.c.id.in_(message_ids) & had_status
    attempted = sa.update(_TABLE).where(is_meant)
    written = conn.execute(attempted.values(attempts=_TABLE.c.attempts + 1, **values))
    return written.rowcount > 0


def _to_error_kind(text: str) -> str:
    """Return `text`, or "unknown" if it is so free that it may name a person."""
    return text if _ERROR_KIND.fullmatch(text) else "unknown"


def _to_message(row: Mapping[Any, Any]) -> ClaimedMessage:
    facts = dict(row)
    del facts["is_outdated"]
    facts["kind"], facts["to"] = Kind(facts["kind"]), tuple(facts.pop("addresses"))
    return ClaimedMessage(**facts)
