"""Tables of others in our database: what waits there, what is left over.

The one place that names those of Dagster and Celery, and of the portal's sessions.
What Dagster can remove with its own functions is removed with those
(`defs.retention`); here is the rest.  Where a table is not in this database, there is
nothing to count or remove.  Dagster is not imported for this: that takes a second and
150 MB.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine

_statement = engine.load_statements(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Rows of a table of somebody else's that nothing reads any more.

    Attributes:
        what: A name for people.
        table: The table with its schema.
        statement: The SQL file that selects the ids to remove: those written before the
            moment `before`; `zone` is the time zone of days, as Postgres names it, and
            a link that was sent before `links_before` has ended for days.
        rule: Which of them they are, for people.
        key: The primary key of the table.
    """

    what: str
    table: str
    statement: str
    rule: str = "a day old and not needed"
    key: str = "id"


LEFTOVERS = (
    Leftover(
        what="Celery messages that were delivered",
        table="celery.kombu_message",
        statement="old_celery_messages",
    ),
    Leftover(
        what="Celery results",
        table="celery.celery_taskmeta",
        statement="old_celery_results",
    ),
    Leftover(
        what="Dagster events of removed partitions",
        table="dagster.event_logs",
        statement="old_dagster_partition_events",
    ),
    Leftover(
        what="Dagster events of earlier days that a later one replaced",
        table="dagster.event_logs",
        statement="old_dagster_reports",
    ),
    Leftover(
        what="Dagster check results of removed runs and earlier days",
        table="dagster.asset_check_executions",
        statement="old_dagster_checks",
    ),
    Leftover(
        what="Sessions of the portal that have ended",
        table="portal.django_session",
        statement="old_portal_sessions",
        key="session_key",
    ),
    Leftover(
        what="Facts about sessions of the portal that have ended",
        table="portal.usersessions_usersession",
        statement="old_portal_session_facts",
    ),
    Leftover(
        what="Counted attempts in the portal that no longer matter",
        table="portal.portal_cache",
        statement="old_portal_counts",
        key="cache_key",
    ),
    Leftover(
        what="Accounts of requesters who never set a password",
        table="portal.accounts_account",
        statement="old_portal_requesters",
        rule="a week after their last link has ended",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """What the run engine has to do; None: not in this database.

    Attributes:
        queued: Runs that no worker has.
        running: Runs that are being started or executed.
        broker_messages: Tasks that wait at the broker for a worker.
        is_retention_failed: Whether the last run of the retention job has failed.
        stopped: The names of the sensors and schedules that a person has stopped.
    """

    queued: int | None
    running: int | None
    broker_messages: int | None
    is_retention_failed: bool | None
    stopped: Sequence[str] | None = None


def has_broker_message(conn: sa.Connection) -> bool:
    """Return whether a task waits, on a connection of the broker's."""
    return bool(conn.scalar(_statement("find_broker_message")))


def count_queue(conn: sa.Connection) -> QueueCounts:
    """Return how many runs and tasks wait, and how many runs are being executed."""
    queued = running = messages = is_failed = stopped = None
    if _has_table(conn, "dagster.runs"):
        queued, running = conn.execute(_statement("count_runs")).one()
        is_failed = bool(conn.scalar(_statement("find_retention_end")))
    if _has_table(conn, "dagster.instigators"):
        stopped = list(conn.scalars(_statement("find_stopped_automations")))
    if _has_table(conn, "celery.kombu_message"):
        messages = conn.scalar(_statement("count_broker_messages"))
    return QueueCounts(
        queued=queued,
        running=running,
        broker_messages=messages,
        is_retention_failed=is_failed,
        stopped=stopped,
    )


def find_queued_uploads(conn: sa.Connection) -> Mapping[str, tuple[str, str]]:
    """Return provider and lane of each upload whose run no worker has."""
    if not _has_table(conn, "dagster.runs"):
        return {}
    rows = conn.execute(_statement("find_queued_uploads"))
    return {upload_id: (provider, lane) for upload_id, provider, lane in rows}


def count_leftovers(
    conn: sa.Connection, leftover: Leftover, values: Mapping[str, object]
) -> int:
    """Return how many rows there are to remove, with the values for `Leftover`."""
    if not _has_table(conn, leftover.table):
        return 0
    query = sa.select(sa.func.count()).select_from(_select_ids(leftover))
    return int(conn.execute(query, values).scalar_one())


def remove_leftovers(
    conn: sa.Connection, leftover: Leftover, values: Mapping[str, object], limit: int
) -> int:
    """Remove up to `limit` of those rows; return how many they were."""
    if not _has_table(conn, leftover.table):
        return 0
    schema, _, name = leftover.table.partition(".")
    table = sa.table(name, sa.column(leftover.key), schema=schema)
    batch = sa.select(_select_ids(leftover).c[leftover.key]).limit(limit)
    removed = sa.delete(table).where(table.c[leftover.key].in_(batch))
    return conn.execute(removed, values).rowcount


def _has_table(conn: sa.Connection, name: str) -> bool:
    query = sa.text("SELECT to_regclass(:name) IS NOT NULL")
    return bool(conn.scalar(query, {"name": name}))


def _select_ids(leftover: Leftover) -> sa.Subquery:
    ids = _statement(leftover.statement).columns(sa.column(leftover.key))
    return ids.subquery()
