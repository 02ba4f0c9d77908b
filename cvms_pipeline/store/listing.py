"""What has been going on, as people look at it: messages, and the day's numbers.

Read only, and nothing here shows a whole address.  What is listed is written by
`outbox`, `uploads` and `recipients`.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cvms_pipeline.store import engine, outbox, tables

_MESSAGES = tables.messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message without its text, its addresses masked."""

    id: str
    kind: outbox.Kind
    upload_id: str | None
    to: tuple[str, ...]
    status: outbox.Status
    attempts: int
    last_error: str | None
    queued_at: dt.datetime
    next_attempt_at: dt.datetime
    sent_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A provider's uploads over a time; `provider` None: those of nobody known.

    `waiting` counts the uploads without an outcome yet, `failed` included.
    """

    provider: str | None
    uploads: int
    refused: int
    failed: int
    waiting: int
    rows: int
    loaded: int
    updated: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How often a reason was given over a time; `rows` is 0 for that of a refusal."""

    code: str
    uploads: int
    rows: int


def messages(
    conn: sa.Connection,
    *,
    upload_id: str | None = None,
    statuses: Collection[outbox.Status] = (),
    limit: int = 1000,
) -> Sequence[Message]:
    """Return messages, latest first: of one upload or all; of some statuses or all."""
    query = sa.select(_MESSAGES).order_by(_MESSAGES.c.id.desc()).limit(limit)
    if upload_id is not None:
        query = query.where(_MESSAGES.c.upload_id == upload_id)
    if statuses:
        query = query.where(_MESSAGES.c.status.in_(statuses))
    return [_message(row) for row in conn.execute(query)]


def mask(address: str) -> str:
    """Return an address so that its owner knows it and no one else: a***@e***.org."""
    local, _, domain = address.partition("@")
    name, dot, top = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***{dot}{top}"


def summary(conn: sa.Connection, *, since: dt.datetime) -> Sequence[Summary]:
    """Return the numbers of each provider's uploads received since; by slug."""
    rows = conn.execute(engine.statement("summarise_uploads"), {"since": since})
    return [Summary(**row._mapping) for row in rows]


def reasons(conn: sa.Connection, *, since: dt.datetime) -> Sequence[Told]:
    """Return why uploads received since were not taken whole; most rows first."""
    rows = conn.execute(engine.statement("count_reasons"), {"since": since})
    return [Told(**row._mapping) for row in rows]


def _message(row: sa.Row[Any]) -> Message:
    return Message(
        id=row.id,
        kind=outbox.Kind(row.kind),
        upload_id=row.upload_id,
        to=tuple(map(mask, row.addresses)),
        status=outbox.Status(row.status),
        attempts=row.attempts,
        last_error=row.last_error,
        queued_at=row.queued_at,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
    )
