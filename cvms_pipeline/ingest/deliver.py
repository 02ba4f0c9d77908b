"""Delivering: what the outbox holds goes out, at least once, and is noted.

Messages are claimed some at a time, and each is noted as soon as it was sent; so a
crash in the instant between the mail server's answer and our note can repeat that one
message, with the same Message-ID, and no other.  A message that we cannot write is
put off; the others go out, and then the error is raised.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import writing
from cvms_pipeline.notify import delivery
from cvms_pipeline.store import engine, outbox, tally, uploads

Kind = outbox.Kind

_AT_ONCE = 20
_LEASE = dt.timedelta(seconds=40)
"""How long claimed messages are nobody else's; all that a crash can delay them."""

_BEGIN = dt.timedelta(seconds=10)
"""After which no claimed message is begun, so that each has ended with its lease."""

_PROBE_SECONDS = 10.0
_TRIED_BEFORE = dt.timedelta(seconds=30)
_LONGEST = dt.timedelta(minutes=1)
"""After which a run leaves the rest to another, so that no worker is held for long."""

_OF_THE_SERVER = (delivery.MailRefused, delivery.MailServerAway)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An upload that has messages of a kind to be sent now; None: alerts of any."""

    kind: Kind
    upload_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """How far an upload's messages are: sent now, refused for good, still to go."""

    sent: int
    refused: int
    waiting: int

    @property
    def in_words(self) -> str:
        """Return the numbers as a sentence for a log."""
        return f"{self.sent} sent, {self.refused} refused, {self.waiting} waiting"


def notice(pipeline: pipelines.Pipeline, upload_id: str) -> Delivered:
    """Send an upload's notice, and clear its work folder away."""
    delivered = _deliver(pipeline, upload_id, Kind.NOTICE)
    pipeline.work.remove(upload_id)
    return delivered


def invitations(pipeline: pipelines.Pipeline, upload_id: str) -> Delivered:
    """Send the invitations of the recipients that an upload loaded or corrected."""
    return _deliver(pipeline, upload_id, Kind.INVITATION)


def alerts(pipeline: pipelines.Pipeline) -> int:
    """Send data-ops what they are to be told, of any upload or none; return how much.

    Apart from notices and invitations: what is wrong with those must not hold it up.
    """
    return _send_due(pipeline, None, Kind.ALERT)


def has_no_invitations(pipeline: pipelines.Pipeline, upload_id: str) -> bool:
    """Return whether an upload has loaded or corrected nobody to be invited."""
    with pipeline.store.begin() as conn:
        return not tally.messages(conn, upload_id, (Kind.INVITATION,))


def wait_for_due(
    pipeline: pipelines.Pipeline, *, seconds: float, pause_seconds: float
) -> Sequence[Due]:
    """Return what is due to be sent; wait up to `seconds` for the first of it.

    While the mail server cannot be reached, nothing is; as soon as it is back, all
    that waits for it.
    """
    deadline = time.monotonic() + seconds
    next_probe = time.monotonic()
    is_server_there = True
    while True:
        if time.monotonic() >= next_probe:
            is_server_there = _is_server_there(pipeline)
            next_probe = time.monotonic() + _PROBE_SECONDS
        with pipeline.store.begin() as conn:
            found = outbox.waiting(conn, pipeline.now())
        due = _due(found)
        if (due and is_server_there) or time.monotonic() > deadline:
            return due if is_server_there else []
        time.sleep(pause_seconds)


def _due(found: Mapping[Kind, Sequence[str | None]]) -> Sequence[Due]:
    due = [Due(kind=kind, upload_id=id) for kind in found for id in found[kind] if id]
    of_uploads = [each for each in due if each.kind is not Kind.ALERT]
    alerts_due = [Due(kind=Kind.ALERT, upload_id=None)] if found[Kind.ALERT] else []
    return [*of_uploads, *alerts_due]


def _is_server_there(pipeline: pipelines.Pipeline) -> bool:
    """Return whether to send: ask the mail server, if something waits for it.

    If it is back, what waits for it is due now.
    """
    away, now = delivery.MailServerAway.__name__, pipeline.now()
    with pipeline.store.begin() as conn:
        if not outbox.has_put_off(conn, away):
            return True
    if not pipeline.mailer.is_there():
        return False
    with pipeline.store.begin() as conn:
        outbox.hurry(conn, away, now=now, tried_before=now - _TRIED_BEFORE)
    return True


def _deliver(pipeline: pipelines.Pipeline, upload_id: str, kind: Kind) -> Delivered:
    sent = _send_due(pipeline, upload_id, kind)
    with pipeline.store.begin() as conn:
        uploads.mark_recovered(conn, upload_id, now=pipeline.now())
        counts = tally.messages(conn, upload_id, (kind,))
    return Delivered(
        sent=sent,
        refused=counts.get(outbox.Status.REFUSED, 0),
        waiting=counts.get(outbox.Status.WAITING, 0),
    )


def _send_due(pipeline: pipelines.Pipeline, upload_id: str | None, kind: Kind) -> int:
    """Send what is due, of one upload or of all; return how many were taken.

    Raises:
        Exception: The first of those that kept a message from being written.
    """
    sent = 0
    broken: list[Exception] = []
    is_server_there = True
    deadline = pipeline.now() + _LONGEST
    while (
        is_server_there
        and pipeline.now() < deadline
        and (claimed := _claim(pipeline, upload_id, kind))
    ):
        taken, is_server_there = _send(pipeline, claimed, broken)
        sent += taken
    if broken:
        raise broken[0]
    return sent


def _claim(
    pipeline: pipelines.Pipeline, upload_id: str | None, kind: Kind
) -> Sequence[outbox.Due]:
    with pipeline.store.begin() as conn:
        return outbox.due(
            conn,
            kinds=(kind,),
            now=pipeline.now(),
            limit=_AT_ONCE,
            upload_id=upload_id,
            lease=_LEASE,
        )


def _send(
    pipeline: pipelines.Pipeline,
    claimed: Sequence[outbox.Due],
    broken: list[Exception],
) -> tuple[int, bool]:
    """Send messages and note how each went, before the next if it could be doubled.

    What keeps one from being written is added to `broken`.

    Returns:
        How many were taken, and whether the mail server is there for more; when it
        goes away, the others are put off with the one that it did not take.
    """
    sent: list[str] = []
    noted = 0
    last_begin = pipeline.now() + _BEGIN
    with pipeline.store.statements() as conn:
        for number, due in enumerate(claimed):
            fault = _hand_over(pipeline, due)
            is_away = isinstance(fault, delivery.MailServerAway)
            # What is not begun in time is free again when its lease is over.
            is_last = is_away or due is claimed[-1] or pipeline.now() > last_begin
            if fault is None:
                sent.append(due.id)
            else:
                left = claimed[number:] if is_away else [due]
                _note(conn, left, fault, pipeline.now())
                broken += [] if isinstance(fault, _OF_THE_SERVER) else [fault]
            if is_last or not pipeline.mailer.repeats_are_one:
                outbox.mark_sent(conn, sent[noted:], pipeline.now())
                noted = len(sent)
            if is_last:
                return noted, not is_away
    return noted, True


def _hand_over(pipeline: pipelines.Pipeline, due: outbox.Due) -> Exception | None:
    """Hand a message to the mail server; return why that did not work.

    Raises:
        TransientError: If what it is written from is away.
    """
    try:
        pipeline.mailer.send(writing.write(pipeline, due), at=pipeline.now())
    except _OF_THE_SERVER as error:
        return error
    except errors.TransientError:
        raise
    except Exception as error:
        return error
    return None


def _note(
    conn: engine.Connection,
    left: Sequence[outbox.Due],
    fault: Exception,
    now: dt.datetime,
) -> None:
    for due in left:
        if isinstance(fault, delivery.MailRefused):
            outbox.mark_refused(conn, due.id, f"SMTP {fault.smtp_code}")
        else:
            retry_at = outbox.retry_at(due.attempts, now)
            outbox.mark_attempt(conn, due.id, type(fault).__name__, retry_at)
