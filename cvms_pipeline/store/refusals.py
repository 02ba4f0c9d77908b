"""Invitations that a mail server has refused permanently, and who is informed of them.

A provider gets one message a day, with every refusal up to the moment when somebody
begins to send it; later ones are in the message of the next day.  The first refusal
waits a minute for the others of its upload.  How messages are claimed and sent is
`outbox`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine
from cvms_pipeline.store import outbox

_statement = engine.load_statements(__package__)
_GATHERING_TIME = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedInvitation:
    """A line of an upload whose invitation was refused; `error` such as `SMTP 550`."""

    line: int
    error: str


def mark_refused(
    conn: sa.Connection,
    message: outbox.ClaimedMessage,
    error_kind: str,
    *,
    now: dt.datetime,
    zone: dt.tzinfo,
) -> None:
    """Record that a message is refused permanently; of an invitation, report it.

    Args:
        conn: A transaction, so that no refusal is recorded without being reported.
        message: The message.
        error_kind: The SMTP code; any other text is not stored.
        now: The time that is recorded.
        zone: The time zone of the days of which each has one report.
    """
    is_recorded = outbox.mark_refused(conn, message.id, error_kind)
    if not is_recorded or message.recipient_id is None:
        return
    conn.execute(_statement("note_provider"), {"message_id": message.id})
    if message.kind is not outbox.Kind.INVITATION:
        return
    today = now.astimezone(zone).date()
    if _report(conn, message.id, today, due_at=now + _GATHERING_TIME):
        return
    tomorrow = today + dt.timedelta(days=1)
    midnight = dt.datetime.combine(tomorrow, dt.time(), zone)
    _report(conn, message.id, tomorrow, due_at=midnight)


def list_refused(conn: sa.Connection, upload_id: str) -> Sequence[RefusedInvitation]:
    """Return the lines of an upload whose invitation was refused, in order of line.

    Without those whose e-mail address has been corrected since.
    """
    rows = conn.execute(
        _statement("list_refused_invitations"), {"upload_id": upload_id}
    )
    return [RefusedInvitation(**row._mapping) for row in rows]


def _report(
    conn: sa.Connection, message_id: str, day: dt.date, *, due_at: dt.datetime
) -> bool:
    """Add a refusal to the report of a day; False if that report is being sent."""
    values = {"message_id": message_id, "day": day.isoformat(), "due_at": due_at}
    return conn.execute(_statement("report_refusal"), values).rowcount == 1
