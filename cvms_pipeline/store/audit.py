"""The audit: who did what, and when; read here, and written where no trigger can.

What changes a table is written down by the database's own triggers (migration 0004),
in the same transaction.  Here is only what changes no table: that somebody looked,
that a file was removed, that a run began again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.domain import events
from cvms_pipeline.store import tables

_TABLE = tables.audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is to be written down; who and when, the database adds.

    Attributes:
        event: What happened.
        upload_id: The upload it is about, or None.
        provider: The provider's slug, or None.
        run_id: Dagster's run that did it, or None.
        details: Counts, codes and ids; never a name, an address or a cell.
    """

    event: events.Event
    upload_id: str | None = None
    provider: str | None = None
    run_id: str | None = None
    details: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the audit.

    Attributes:
        id: Its number; later entries have higher ones.
        happened_at: When the transaction began that did it.
        actor: `service`, `service/<process>` or `user:<name>`.
        database_role: As whom the database knew the actor.
        event: What happened.
        upload_id: The upload it is about, or None.
        provider: The provider's slug, or None.
        run_id: Dagster's run that did it, or None.
        details: Counts, codes and ids.
    """

    id: int
    happened_at: dt.datetime
    actor: str
    database_role: str
    event: events.Event
    upload_id: str | None
    provider: str | None
    run_id: str | None
    details: Mapping[str, object]


def write(conn: sa.Connection, notes: Sequence[Note]) -> None:
    """Write notes down, in the caller's transaction; the same re-run only once."""
    if not notes:
        return
    rows = [
        {
            "event": note.event.value,
            "upload_id": note.upload_id,
            "provider": note.provider,
            "run_id": note.run_id,
            "details": dict(note.details or {}),
        }
        for note in notes
    ]
    conn.execute(pg.insert(_TABLE).values(rows).on_conflict_do_nothing())


def entries(
    conn: sa.Connection,
    *,
    upload_id: str | None = None,
    provider: str | None = None,
    since: dt.datetime | None = None,
    limit: int,
) -> Sequence[Entry]:
    """Return the latest `limit` entries of those that are asked for; latest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit)
    if upload_id is not None:
        query = query.where(_TABLE.c.upload_id == upload_id)
    if provider is not None:
        query = query.where(_TABLE.c.provider == provider)
    if since is not None:
        query = query.where(_TABLE.c.happened_at >= since)
    return [_entry(row) for row in conn.execute(query)]


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**{**row._mapping, "event": events.Event(row.event)})
