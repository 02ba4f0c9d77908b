"""Filling a store with invented recipients, as many as a benchmark asks for.

All columns and all indexes of `cvms.recipients`, as if the people had come in
uploads of 5,000.  Their names are letters without order, so that the rows of a new
upload belong everywhere in an index and not at its end.
"""

import sqlalchemy as sa

from benchmarks import database, uploading

BYTES_A_RECIPIENT = 1_000
"""Disk that one recipient takes while its indexes are made, rounded up."""

_WITHOUT_INDEXES = 200_000
"""From this many rows on, making the indexes afterwards is faster."""

_LETTERS = "translate(md5({seed}), '0123456789', 'ghijklmnop')"

_UPLOADS = """
INSERT INTO cvms.uploads (
    id, folder, provider, lane, file_name, rows, loaded, received_at
)
SELECT
    'stored-' || number, :provider, :provider, 'high_volume', 'stored.csv', 5000, 5000,
    now()
FROM generate_series(CAST(:first AS bigint) / 5000, CAST(:last AS bigint) / 5000)
    AS number
ON CONFLICT DO NOTHING
"""

_RECIPIENTS = f"""
INSERT INTO cvms.recipients (
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
SELECT
    initcap(first_key), initcap(last_key), birth_date, email, first_key, last_key,
    email || '.COVID19VACCINE', 1, :provider, 'stored-' || number / 5000,
    number % 5000 + 2, now()
FROM (
    SELECT
        number,
        left({_LETTERS.format(seed="'f' || number")}, 7) AS first_key,
        left({_LETTERS.format(seed="'l' || number")}, 9) AS last_key,
        date '1920-01-01' + CAST(number * 7919 % 32000 AS integer) AS birth_date,
        left({_LETTERS.format(seed="'e' || number")}, 8) || number || '@example.org'
            AS email
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS number
) AS invented
"""

_INDEXES = """
SELECT index.relname, pg_get_indexdef(index.oid), made.conname,
    pg_get_constraintdef(made.oid)
FROM pg_index AS of_table
INNER JOIN pg_class AS index ON of_table.indexrelid = index.oid
LEFT JOIN pg_constraint AS made
    ON made.conindid = index.oid AND made.contype = 'u'
WHERE of_table.indrelid = CAST('cvms.recipients' AS regclass)
    AND NOT of_table.indisprimary
"""


class NoRoomError(Exception):
    """There is not enough free disk space for so many recipients."""


def register_provider(conn: sa.Connection, provider: str = uploading.PROVIDER) -> None:
    """Register the provider that everything belongs to, once."""
    statement = (
        "INSERT INTO cvms.providers (slug, name, vfc_pin, emails, created_at)"
        " VALUES (:slug, 'Bench', 'VAC2021', ARRAY['bench@example.org'], now())"
        " ON CONFLICT DO NOTHING"
    )
    conn.execute(sa.text(statement), {"slug": provider})


def empty(conn: sa.Connection) -> None:
    """Take everything out of the store but the provider."""
    conn.exec_driver_sql(
        "TRUNCATE cvms.recipients, cvms.messages, cvms.rejected_rows,"
        " cvms.recipient_changes, cvms.uploads, cvms.cases CASCADE"
    )


def bring_all_back(conn: sa.Connection) -> None:
    """Let no rejected row be outstanding, as if all had been brought back.

    An upload is compared with the outstanding rows of its provider, which would be more
    from turn to turn.
    """
    conn.exec_driver_sql(
        "UPDATE cvms.uploads SET outstanding = 0 WHERE outstanding > 0"
    )


def fill(
    conn: sa.Connection,
    *,
    stored: int,
    wanted: int,
    provider: str = uploading.PROVIDER,
) -> None:
    """Bring a store of `stored` invented recipients to `wanted`, with statistics.

    An upload has 5,000 of them, so those of two providers begin with another 5,000.

    Raises:
        NoRoomError: If the disk would be full before.
    """
    more = wanted - stored
    if more <= 0:
        return
    _check_room(more)
    conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
    conn.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
    bounds = {"provider": provider, "first": stored, "last": wanted - 1}
    conn.execute(sa.text(_UPLOADS), bounds)
    restore = _drop_indexes(conn) if more >= _WITHOUT_INDEXES else []
    conn.execute(sa.text(_RECIPIENTS), bounds)
    for statement in restore:
        conn.exec_driver_sql(statement)


def settle(conn: sa.Connection) -> None:
    """Give a filled store its statistics and write its pages out.

    The connection must be in autocommit mode.
    """
    conn.exec_driver_sql("SET statement_timeout = 0")
    conn.exec_driver_sql("VACUUM (ANALYZE) cvms.recipients")
    conn.exec_driver_sql("CHECKPOINT")


def _drop_indexes(conn: sa.Connection) -> list[str]:
    """Drop what slows filling down; return the statements that bring it back."""
    conn.exec_driver_sql("ALTER TABLE cvms.recipients DISABLE TRIGGER check_uploads")
    restore = ["ALTER TABLE cvms.recipients ENABLE TRIGGER check_uploads"]
    for name, index, constraint, rule in conn.execute(sa.text(_INDEXES)).all():
        if constraint:
            conn.exec_driver_sql(f"ALTER TABLE cvms.recipients DROP CONSTRAINT {name}")
            restore.append(f"ALTER TABLE cvms.recipients ADD CONSTRAINT {name} {rule}")
        else:
            conn.exec_driver_sql(f"DROP INDEX cvms.{name}")
            restore.append(index)
    return restore


def _check_room(more: int) -> None:
    free = database.free_bytes()
    needed = more * BYTES_A_RECIPIENT
    if free is not None and free < needed:
        raise NoRoomError(
            f"{more:,} more recipients need about {needed / 1e9:.0f} GB of free disk in"
            f" {database.folder()}, which has {free / 1e9:.0f} GB."
        )
