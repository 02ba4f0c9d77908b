"""What Dagster and Celery have in our database: what waits there, what they leave.

The one place that names their tables.  Everything that they can remove through
their own functions is removed there (`defs.retention`); here is the rest, and where
such a table is not in this database, nothing is to be done.  Counting what waits is
here too, for whoever must not import Dagster (a second and 150 MB) to watch it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.store import engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Rows of a neighbour's table that nobody asks for any more.

    Attributes:
        what: What they are, for people.
        schema: Whose table it is.
        table: The table, with a primary key `id`.
        statement: The SQL file that selects their ids.
    """

    what: str
    schema: str
    table: str
    statement: str


ALL = (
    Leftover(
        what="Celery messages that were delivered",
        schema="celery",
        table="kombu_message",
        statement="old_celery_messages",
    ),
    Leftover(
        what="Celery results",
        schema="celery",
        table="celery_taskmeta",
        statement="old_celery_results",
    ),
    Leftover(
        what="Dagster events of removed partitions",
        schema="dagster",
        table="event_logs",
        statement="old_dagster_partition_events",
    ),
    Leftover(
        what="Dagster events of earlier days that a later one replaced",
        schema="dagster",
        table="event_logs",
        statement="old_dagster_reports",
    ),
    Leftover(
        what="Dagster check results of removed runs and earlier days",
        schema="dagster",
        table="asset_check_executions",
        statement="old_dagster_checks",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What makes a neighbour's row an old one.

    Attributes:
        before: It was written before this moment.
        partitions: What Dagster calls the partitions of uploads.
        zone: Whose days are days, as Postgres names the zone.
    """

    before: dt.datetime
    partitions: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What the run engine has to do; None: not in this database.

    Attributes:
        queued: Runs that no worker has.
        running: Runs that are being started or worked on.
        broker_messages: Tasks that wait at the broker for a worker.
        is_retention_failed: Whether the last run of the retention job has failed.
    """

    queued: int | None
    running: int | None
    broker_messages: int | None
    is_retention_failed: bool | None


def has_broker_message(conn: sa.Connection) -> bool:
    """Return whether a task waits at the broker, on a connection of the broker's."""
    return bool(conn.scalar(engine.statement("find_broker_message")))


def queue(conn: sa.Connection) -> Queue:
    """Return how many runs wait and how many are at work."""
    queued = running = messages = is_failed = None
    if _has_table(conn, "dagster.runs"):
        queued, running = conn.execute(engine.statement("count_runs")).one()
        is_failed = bool(conn.scalar(engine.statement("find_retention_end")))
    if _has_table(conn, "celery.kombu_message"):
        messages = conn.scalar(engine.statement("count_broker_messages"))
    return Queue(
        queued=queued,
        running=running,
        broker_messages=messages,
        is_retention_failed=is_failed,
    )


def queued_uploads(conn: sa.Connection) -> Mapping[str, tuple[str, str]]:
    """Return the uploads whose runs no worker has, with whose they are: slug, lane."""
    if not _has_table(conn, "dagster.runs"):
        return {}
    rows = conn.execute(engine.statement("find_queued_uploads"))
    return {upload_id: (provider, lane) for upload_id, provider, lane in rows}


def _has_table(conn: sa.Connection, name: str) -> bool:
    query = sa.text("SELECT to_regclass(:name) IS NOT NULL")
    return bool(conn.scalar(query, {"name": name}))


def count(conn: sa.Connection, leftover: Leftover, old: Old) -> int:
    """Return how many rows `remove` has to remove; none where there is no table."""
    if not _is_here(conn, leftover):
        return 0
    query = sa.select(sa.func.count()).select_from(_ids(leftover))
    return int(conn.execute(query, _values(old)).scalar_one())


def remove(conn: sa.Connection, leftover: Leftover, old: Old, *, limit: int) -> int:
    """Remove up to `limit` rows; return how many they were."""
    if not _is_here(conn, leftover):
        return 0
    table = sa.table(leftover.table, sa.column("id"), schema=leftover.schema)
    some = sa.select(_ids(leftover).c.id).limit(limit)
    gone = sa.delete(table).where(table.c.id.in_(some))
    return conn.execute(gone, _values(old)).rowcount


def _is_here(conn: sa.Connection, leftover: Leftover) -> bool:
    return sa.inspect(conn).has_table(leftover.table, schema=leftover.schema)


def _ids(leftover: Leftover) -> sa.Subquery:
    """Return the rows that the leftover's file selects, to be taken from."""
    return (
        engine.statement(leftover.statement)
        .columns(sa.column("id", sa.BigInteger))
        .subquery()
    )


def _values(old: Old) -> dict[str, object]:
    return {"before": old.before, "partitions": old.partitions, "zone": old.zone}
