"""A history of uploads: copies of a real one, in our tables and in Dagster's.

As retention would have left it: all of them in our tables, with rejected rows for 90
days, and the latest ones in Dagster, with their runs and every event of them.  One
upload came in every five minutes, until yesterday: today is as empty as without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import tables

MINUTES_APART = 5
_DAYS_OF_ROWS = 90

_KEY = (
    f"to_char(timestamp '2026-01-01' - n * interval '{MINUTES_APART} minutes',"
    " 'YYYYMMDD-HH24MISS') || '-' || lpad(CAST(n AS text), 8, '0')"
)
_SERIES = "generate_series(CAST(:first AS integer), CAST(:last AS integer)) AS n"
_IS_RECENT = f"n * {MINUTES_APART} <= {_DAYS_OF_ROWS} * 1440"

_NOTICES = f"""
INSERT INTO cvms.messages (purpose, kind, upload_id, addresses, status, attempts,
    queued_at, next_attempt_at, sent_at)
SELECT 'notice:' || {_KEY}, 'notice', {_KEY}, ARRAY['bench@example.org'], 'sent', 1,
    now(), now(), now()
FROM {_SERIES}
"""
_RECIPIENTS = f"""
INSERT INTO cvms.recipients (first_name, last_name, birth_date, email, first_key,
    last_key, username, username_number, provider, upload_id, source_line, loaded_at)
SELECT name, name, date '1950-01-01', name || '@example.org', name, name,
    name || '@example.org.COVID19VACCINE', 1, one.provider, {_KEY}, line, now()
FROM {_SERIES}
CROSS JOIN generate_series(2, :people + 1) AS line
CROSS JOIN LATERAL (SELECT md5(n || ' ' || line) AS name) AS made
CROSS JOIN (SELECT provider FROM cvms.uploads WHERE id = :upload) AS one
"""
_INVITATIONS = f"""
INSERT INTO cvms.messages (purpose, kind, upload_id, recipient_id, addresses, status,
    attempts, queued_at, next_attempt_at, sent_at)
SELECT 'invitation:' || id || ':' || upload_id, 'invitation', upload_id, id,
    ARRAY[email], 'sent', 1, now(), now(), now()
FROM cvms.recipients
WHERE upload_id = ANY(SELECT {_KEY} FROM {_SERIES})
"""
_REJECTED = f"""
INSERT INTO cvms.rejected_rows
SELECT {_KEY}, line, first_name, last_name, birth_date, email, codes, message, NULL
FROM cvms.rejected_rows
CROSS JOIN {_SERIES}
WHERE upload_id = :upload AND {_IS_RECENT}
"""

_RUN = "CAST(CAST(md5({run} || ' ' || n) AS uuid) AS text)"
_OF_RUNS = "run_id = ANY(:runs)"
_EVENTS = f"({_OF_RUNS} OR run_id = '' AND partition = :upload)"
_EVENT_ID = f"(SELECT id FROM dagster.event_logs WHERE {_EVENTS})"
_DAGSTER = {
    "runs": _OF_RUNS,
    "run_tags": _OF_RUNS,
    "event_logs": _EVENTS,
    "asset_event_tags": f"event_id IN {_EVENT_ID}",
    "asset_check_executions": _OF_RUNS,
}
_EVENT_IDS = (
    "event_id",
    "evaluation_event_storage_id",
    "materialization_event_storage_id",
)
_PARTITIONS = f"""
INSERT INTO dagster.dynamic_partitions (partitions_def_name, partition)
SELECT 'uploads', {_KEY} FROM {_SERIES} ORDER BY n DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The upload to be copied: its id and its runs."""

    upload: str
    runs: tuple[str, ...]


def in_our_tables(
    conn: sa.Connection, model: Model, *, first: int, last: int, people: int
) -> None:
    """Add the uploads number `first` to `last`, 1 the latest, to `cvms`.

    Args:
        conn: The transaction.
        model: What is copied.
        first: The first number.
        last: The last number.
        people: How many recipients with an invitation each of them loaded.
    """
    values = {"upload": model.upload, "first": first, "last": last, "people": people}
    for statement in (_uploads(), _NOTICES, _RECIPIENTS, _INVITATIONS, _REJECTED):
        conn.execute(sa.text(statement), values)


def in_dagster(conn: sa.Connection, model: Model, *, count: int) -> None:
    """Add the latest `count` uploads to Dagster: partitions, runs, events, checks."""
    values = {
        "upload": model.upload,
        "runs": list(model.runs),
        "first": 1,
        "last": count,
        **{f"run{nth}": run for nth, run in enumerate(model.runs)},
    }
    conn.execute(sa.text(_PARTITIONS), values)
    events = _shift(conn, "event_logs", values)
    for table in _DAGSTER:
        _copy(conn, table, values, events)


def _uploads() -> str:
    """Return the statement that copies the upload itself, older by its number."""
    changed = {
        "id": _KEY,
        "sha256": "md5(CAST(n AS text)) || md5(CAST(n AS text))",
        "run_id": _RUN.format(run="run_id"),
        "parent_upload": "NULL",
        "purged_at": f"CASE WHEN {_IS_RECENT} THEN NULL ELSE now() END",
    }
    names = [column.name for column in tables.uploads.columns]
    moments = [n for n in names if n.endswith("_at") and n != "purged_at"]
    older = f"- interval '1 day' - n * interval '{MINUTES_APART} minutes'"
    changed |= {name: f"{name} {older}" for name in moments}
    return _insert("cvms.uploads", names, changed, "id = :upload")


def _insert(
    table: str, names: list[str], changed: Mapping[str, str], condition: str
) -> str:
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table}"
        f" CROSS JOIN {_SERIES} WHERE {condition} ORDER BY n DESC"
    )


def _copy(
    conn: sa.Connection, table: str, values: Mapping[str, object], events: str
) -> None:
    """Copy a table's rows with other ids, and other keys wherever a text has them."""
    columns = sa.inspect(conn).get_columns(table, schema="dagster")
    changed = {
        column["name"]: _renamed(f'"{column["name"]}"', values)
        for column in columns
        if isinstance(column["type"], sa.String)
    }
    changed |= {name: f"{name} + {events}" for name in _EVENT_IDS}
    changed["id"] = f"id + {_shift(conn, table, values)}"
    names = [column["name"] for column in columns]
    statement = _insert(f"dagster.{table}", names, changed, _DAGSTER[table])
    conn.execute(sa.text(statement), values)
    conn.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('dagster.{table}', 'id'),"
        f" (SELECT max(id) FROM dagster.{table}))"
    )


def _shift(conn: sa.Connection, table: str, values: Mapping[str, object]) -> str:
    """Return what is to be added to an id, by `n`, so that no two are the same."""
    query = (
        "SELECT max(id) - min(id) FILTER (WHERE {own}) + 1,"
        " max(id) FILTER (WHERE {own}) - min(id) FILTER (WHERE {own}) + 1"
        f" FROM dagster.{table}"
    )
    row = conn.execute(sa.text(query.format(own=_DAGSTER[table])), values).one()
    distance, span = (number or 0 for number in row)
    return f"{distance} + (:last - n) * {span}"


def _renamed(text: str, values: Mapping[str, object]) -> str:
    changed = f"replace({text}, :upload, {_KEY})"
    for name in values:
        if name.startswith("run") and name != "runs":
            changed = f"replace({changed}, :{name}, {_RUN.format(run=f':{name}')})"
    return changed
