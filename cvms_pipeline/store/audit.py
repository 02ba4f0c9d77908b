"""The audit: who did what, and when.

The database's own triggers (revision 0004) record every change of a table, in the same
transaction.  Recorded here is only what changes no table: that somebody has read rows,
that a file was removed, that a run was repeated.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import tables
from cvms_pipeline.domain.vocabulary import audit_events

_TABLE = tables.audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is to be recorded; the database adds who and when.

    Attributes:
        event: What happened.
        upload_id: The upload it is about, or None.
        provider: The provider's slug, or None.
        run_id: Dagster's run that did it, or None.
        details: Counts, codes and ids; never a name, an address or a cell.
    """

    event: audit_events.Event
    upload_id: str | None = None
    provider: str | None = None
    run_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Note):
    """An entry of the audit.

    Attributes:
        id: Its number; later entries have higher ones.
        happened_at: When the transaction began that did it.
        actor: `service`, `service/<process>` or `user:<name>`.
        database_role: The role of that session in the database.
    """

    id: int
    happened_at: dt.datetime
    actor: str
    database_role: str


def write(conn: sa.Connection, notes: Sequence[Note]) -> None:
    """Record notes in the caller's transaction; a re-run of an upload only once."""
    if notes:
        rows = [asdict(note) for note in notes]
        conn.execute(pg.insert(_TABLE).values(rows).on_conflict_do_nothing())


def list_entries(
    conn: sa.Connection,
    *,
    upload_id: str | None = None,
    provider: str | None = None,
    since: dt.datetime | None = None,
    limit: int,
) -> Sequence[Entry]:
    """Return the latest `limit` entries that match; latest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.id.desc()).limit(limit)
    for name, value in (("upload_id", upload_id), ("provider", provider)):
        if value is not None:
            query = query.where(_TABLE.c[name] == value)
    if since is not None:
        query = query.where(_TABLE.c.happened_at >= since)
    return [
        Entry(**{**row._mapping, "event": audit_events.Event(row.event)})
        for row in conn.execute(query)
    ]


def find_uploads(
    conn: sa.Connection,
    upload_ids: Collection[str],
    *,
    event: audit_events.Event,
    details: Mapping[str, object],
) -> set[str]:
    """Return which of the uploads have an entry of `event` with these details."""
    query = sa.select(_TABLE.c.upload_id).where(
        _TABLE.c.upload_id.in_(upload_ids),
        _TABLE.c.event == event,
        _TABLE.c.details == dict(details),
    )
    return set(conn.scalars(query))
