"""Delivering: the messages in the outbox are sent, each at least once.

Messages are claimed in batches, and each is recorded as soon as it was sent.  So a
crash between the mail server's answer and the record can repeat only that one message,
with the same Message-ID.  A message that the server does not accept, or that cannot be
composed, is postponed alone, with waits of its own; only a server that cannot be
reached ends the round.  An error of composing is raised after the others are sent.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import audit_events
from cvms_pipeline.mail import mailer
from cvms_pipeline.store import audit, listing, outbox, refusals, retries, uploads
from cvms_pipeline.use_cases import compose, pipelines
from cvms_pipeline.use_cases.recipients import composing

Kind = outbox.Kind

_BATCH = 20
_LEASE = dt.timedelta(seconds=40)
"""How long claimed messages belong to their run: the longest delay after a crash."""

_MAX_BATCH_TIME = dt.timedelta(seconds=10)
"""After this time no message of a batch is begun, so that each ends with its lease."""

_MAX_RUN_TIME = dt.timedelta(minutes=1)
"""After this time a run leaves the rest to another, so that it frees its worker."""

_PROBE_SECONDS = 10.0
_MIN_RETRY_PAUSE = dt.timedelta(seconds=30)
OF_NO_UPLOAD = (
    Kind.ACCOUNT,
    Kind.CASE,
    Kind.RECIPIENT,
    Kind.ALERT,
    Kind.REFUSED_ADDRESSES,
    Kind.DELAY,
)
"""Kinds of messages that one run sends, whatever uploads they are about."""

_MAIL_ERRORS = (mailer.MailRefused, mailer.MailServerAway, mailer.MailServerBusy)
_AWAY, _SLOW = mailer.MailServerAway.__name__, mailer.MailServerSlow.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An upload with messages of a kind to send now; None for the alerts of all."""

    kind: Kind
    upload_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """An upload's messages: sent now, refused permanently, and still waiting."""

    sent: int
    refused: int
    waiting: int

    def describe(self) -> str:
        """Return the numbers as a sentence for a log."""
        return f"{self.sent} sent, {self.refused} refused, {self.waiting} waiting"


def send_notice(
    pipeline: pipelines.Pipeline, upload_id: str, *, if_fast: bool = False
) -> Delivered:
    """Send an upload's notice, and remove its work folder.

    With `if_fast` the notice is left in the outbox while the mail server is known to be
    away or slow, so that the caller does not wait for it.
    """
    is_left = if_fast and _is_server_slow(pipeline)
    delivered = _deliver(pipeline, upload_id, Kind.NOTICE, is_left=is_left)
    pipeline.work.remove(upload_id)
    return delivered


def send_invitations(pipeline: pipelines.Pipeline, upload_id: str) -> Delivered:
    """Send the invitations of the recipients that an upload loaded or corrected."""
    return _deliver(pipeline, upload_id, Kind.INVITATION)


def send_alerts(pipeline: pipelines.Pipeline) -> int:
    """Send the messages of all uploads and none; return how many were sent.

    They are links for accounts, messages about cases and to recipients who were
    invited before, alerts to data-ops, and what informs providers of refused addresses
    and of delays.  They are sent apart from other messages, because errors there would
    delay them.
    """
    return _send_due(pipeline, None, *OF_NO_UPLOAD)


def resend_messages(
    pipeline: pipelines.Pipeline,
    message_ids: Sequence[str],
    *,
    provider: str | None = None,
) -> None:
    """Make refused messages due again, all of them or none.

    Notices go to the addresses that their provider has now, alerts to data-ops, and
    what is for the help desk to the address that it has now.  The audit records who has
    done it, and of which provider it was.

    Raises:
        NotRefused: If one of the ids is not that of a refused message.
    """
    with pipeline.store.begin() as conn:
        outbox.resend(
            conn,
            message_ids,
            now=pipeline.now(),
            data_ops=pipeline.data_ops,
            help_desk=pipeline.help_desk,
        )
        record_resent(conn, message_ids, provider=provider)


def record_resent(
    conn: engine.Connection, message_ids: Sequence[str], *, provider: str | None
) -> None:
    """Write into the audit that messages are sent again, and of which provider."""
    note = audit.Note(
        event=audit_events.Event.MESSAGES_RESENT,
        provider=provider,
        details={"messages": list(message_ids)},
    )
    audit.write(conn, [note])


def wait_for_due(
    pipeline: pipelines.Pipeline, *, seconds: float, pause_seconds: float
) -> Sequence[Due]:
    """Return what is to be sent now; wait up to `seconds` until there is something.

    While the mail server cannot be reached, nothing is due; as soon as it can be
    reached again, every message that waits for it is due.
    """
    deadline = time.monotonic() + seconds
    next_probe = time.monotonic()
    is_reachable = True
    while True:
        if time.monotonic() >= next_probe:
            is_reachable = _is_server_reachable(pipeline)
            next_probe = time.monotonic() + _PROBE_SECONDS
        with pipeline.store.begin() as conn:
            due = _list_due(listing.find_due(conn, pipeline.now()))
        if (due and is_reachable) or time.monotonic() > deadline:
            return due if is_reachable else []
        time.sleep(pause_seconds)


def _list_due(found: Mapping[Kind, Sequence[str | None]]) -> Sequence[Due]:
    by_kind = {**found, **{k: [None] if found[k] else [] for k in OF_NO_UPLOAD}}
    kinds = (Kind.NOTICE, Kind.INVITATION, *OF_NO_UPLOAD)
    return [Due(kind=kind, upload_id=each) for kind in kinds for each in by_kind[kind]]


def _is_server_reachable(pipeline: pipelines.Pipeline) -> bool:
    """Return whether to send: probe the mail server if messages wait for it.

    If it can be reached again, they become due now.
    """
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        retries.correct_future(conn, now)
        if not retries.has_postponed(conn, _AWAY):
            return True
    if not pipeline.mailer.is_reachable():
        return False
    with pipeline.store.begin() as conn:
        tried_before = now - _MIN_RETRY_PAUSE
        retries.retry_now(conn, _AWAY, now=now, tried_before=tried_before)
    return True


def _is_server_slow(pipeline: pipelines.Pipeline) -> bool:
    """Return whether this process, or a message that waits, has found it so."""
    if pipeline.mailer.is_slow:
        return True
    with pipeline.store.begin() as conn:
        return retries.has_postponed(conn, _AWAY, _SLOW)


def _deliver(
    pipeline: pipelines.Pipeline,
    upload_id: str,
    kind: Kind,
    *,
    is_left: bool = False,
) -> Delivered:
    sent = 0 if is_left else _send_due(pipeline, upload_id, kind)
    with pipeline.store.begin() as conn:
        uploads.mark_recovered(conn, upload_id, now=pipeline.now())
        counts = listing.count_messages(conn, upload_id, kind)
    return Delivered(
        sent=sent,
        refused=counts.get(outbox.Status.REFUSED, 0),
        waiting=counts.get(outbox.Status.WAITING, 0),
    )


def _send_due(pipeline: pipelines.Pipeline, upload_id: str | None, *kinds: Kind) -> int:
    """Send what is due, of one upload or of all; return how many were accepted.

    Raises:
        Exception: The first error that prevented a message from being composed.
    """
    sent = 0
    failures: list[Exception] = []
    is_reachable = True
    deadline = pipeline.now() + _MAX_RUN_TIME
    unsent = list(kinds)
    while unsent and is_reachable and pipeline.now() < deadline:
        kind, now = unsent[0], pipeline.now()
        with pipeline.store.begin() as conn:
            claimed = outbox.claim(
                conn, kind, now=now, lease=_LEASE, limit=_BATCH, upload_id=upload_id
            )
        if not claimed:
            del unsent[0]
            continue
        accepted, is_reachable = _send(pipeline, claimed, now + _LEASE, failures)
        sent += accepted
    if failures:
        raise failures[0]
    return sent


def _send(
    pipeline: pipelines.Pipeline,
    claimed: Sequence[outbox.ClaimedMessage],
    leased_until: dt.datetime,
    failures: list[Exception],
) -> tuple[int, bool]:
    """Send messages and record the result of each.

    Errors that prevent a message from being composed are added to `failures`.

    Returns:
        How many were accepted, and whether the mail server can be reached; if not, the
        remaining messages are postponed with the one that it did not accept.
    """
    sent: list[str] = []
    recorded = 0
    last_begin = pipeline.now() + _MAX_BATCH_TIME
    with pipeline.store.statements() as conn:
        for number, message in enumerate(claimed):
            error, left = _try_to_send(pipeline, message)
            is_away = isinstance(error, mailer.MailServerAway)
            # What is begun later could take longer than the lease.
            is_last = is_away or message is claimed[-1] or pipeline.now() > last_begin
            if error is None:
                sent.append(message.id)
            else:
                unsent = claimed[number:] if is_away else [message]
                _record_error(pipeline, conn, unsent, error, left=left)
                failures += [] if isinstance(error, _MAIL_ERRORS) else [error]
            # A crash must not repeat what was sent, where a repetition arrives twice.
            if is_last or not pipeline.mailer.is_idempotent:
                outbox.mark_sent(conn, sent[recorded:], pipeline.now())
                recorded = len(sent)
            if is_last:
                rest, now = [] if is_away else claimed[number + 1 :], pipeline.now()
                outbox.release(conn, rest, leased_until=leased_until, now=now)
                return recorded, not is_away
    return recorded, True


def _try_to_send(
    pipeline: pipelines.Pipeline, claimed: outbox.ClaimedMessage
) -> tuple[Exception | None, Sequence[str] | None]:
    """Give a message to the mail server.

    Returns:
        The error if that fails, and if the server accepts some of its addresses and
        puts off others, those.

    Raises:
        TransientError: If the store or a folder cannot be reached.
    """
    try:
        composing.issue_link(pipeline, claimed)
        message = compose.compose_message(pipeline, claimed)
        postponed = pipeline.mailer.send(message, at=pipeline.now()).postponed
    except _MAIL_ERRORS as error:
        return error, None
    except errors.TransientError:
        raise
    except Exception as error:
        return error, None
    return (mailer.MailServerBusy(), postponed) if postponed else (None, None)


def _record_error(
    pipeline: pipelines.Pipeline,
    conn: engine.Connection,
    unsent: Sequence[outbox.ClaimedMessage],
    error: Exception,
    *,
    left: Sequence[str] | None,
) -> None:
    now = pipeline.now()
    for message in unsent:
        if isinstance(error, mailer.MailRefused):
            code = f"SMTP {error.smtp_code}"
            with pipeline.store.begin() as both:
                refusals.mark_refused(both, message, code, now=now, zone=pipeline.zone)
        else:
            outbox.postpone(conn, message, type(error).__name__, now, to=left)
