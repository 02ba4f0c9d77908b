"""Delivering: what the outbox holds goes out, at least once, and is noted.

Messages are claimed some at a time, and each is noted as soon as it was sent; so a
crash in the instant between the mail server's answer and our note can repeat that one
message, with the same Message-ID, and no other.
"""

import datetime as dt
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import writing
from cvms_pipeline.notify import delivery
from cvms_pipeline.store import outbox, tally, uploads

Kind = outbox.Kind

_AT_ONCE = 20
_LEASE = dt.timedelta(minutes=2)
_LONGEST = dt.timedelta(minutes=1)
"""After which a run leaves the rest to another, so that no worker is held for long."""

_TO_PROVIDER = (Kind.NOTICE, Kind.ALERT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An upload that has messages of a kind to be sent now."""

    kind: Kind
    upload_id: str


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
    """Send an upload's notice and alerts, and clear its work folder away."""
    delivered = _deliver(pipeline, upload_id, _TO_PROVIDER)
    pipeline.work.remove(upload_id)
    return delivered


def invitations(pipeline: pipelines.Pipeline, upload_id: str) -> Delivered:
    """Send the invitations of the recipients that an upload loaded or corrected."""
    return _deliver(pipeline, upload_id, (Kind.INVITATION,))


def has_no_invitations(pipeline: pipelines.Pipeline, upload_id: str) -> bool:
    """Return whether an upload has loaded or corrected nobody to be invited."""
    with pipeline.store.begin() as conn:
        return not tally.messages(conn, upload_id, (Kind.INVITATION,))


def wait_for_due(
    pipeline: pipelines.Pipeline, *, seconds: float, pause_seconds: float
) -> Sequence[Due]:
    """Return what is due to be sent; wait up to `seconds` for the first of it."""
    deadline = time.monotonic() + seconds
    while True:
        with pipeline.store.begin() as conn:
            found = outbox.waiting(conn, pipeline.now())
        due = [
            Due(kind=kind, upload_id=id) for kind in found for id in found[kind] if id
        ]
        if due or time.monotonic() > deadline:
            return due
        time.sleep(pause_seconds)


def _deliver(
    pipeline: pipelines.Pipeline, upload_id: str, kinds: Collection[Kind]
) -> Delivered:
    sent = 0
    is_server_there = True
    deadline = pipeline.now() + _LONGEST
    while (
        is_server_there
        and pipeline.now() < deadline
        and (claimed := _claim(pipeline, upload_id, kinds))
    ):
        for due in claimed:
            try:
                sent += _send(pipeline, due)
            except delivery.MailServerAway as error:
                _note_attempt(pipeline, due, type(error).__name__)
                is_server_there = False  # nor for the others, whose lease runs out
                break
    with pipeline.store.begin() as conn:
        uploads.mark_recovered(conn, upload_id, now=pipeline.now())
        counts = tally.messages(conn, upload_id, kinds)
    return Delivered(
        sent=sent,
        refused=counts.get(outbox.Status.REFUSED, 0),
        waiting=counts.get(outbox.Status.WAITING, 0),
    )


def _claim(
    pipeline: pipelines.Pipeline, upload_id: str, kinds: Collection[Kind]
) -> Sequence[outbox.Due]:
    with pipeline.store.begin() as conn:
        return outbox.due(
            conn,
            kinds=kinds,
            now=pipeline.now(),
            limit=_AT_ONCE,
            upload_id=upload_id,
            lease=_LEASE,
        )


def _send(pipeline: pipelines.Pipeline, due: outbox.Due) -> bool:
    """Send a message and note how it went; return whether it was taken."""
    try:
        pipeline.mailer.send(writing.write(pipeline, due), at=pipeline.now())
    except delivery.MailRefused as error:
        with pipeline.store.begin() as conn:
            outbox.mark_refused(conn, due.id, f"SMTP {error.smtp_code}")
        return False
    with pipeline.store.begin() as conn:
        outbox.mark_sent(conn, due.id, pipeline.now())
    return True


def _note_attempt(pipeline: pipelines.Pipeline, due: outbox.Due, kind: str) -> None:
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        outbox.mark_attempt(conn, due.id, kind, outbox.retry_at(due.attempts, now))
