"""The tables as a file and back, by Postgres' own pg_dump and pg_restore.

Here live the snapshot that is dumped, what a backup reads in it, and the options of the
two programs.  Which files belong to a backup is decided in `maintenance.backup`; the
programs are found by `local.postgres.programs`.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2.extensions
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import engine, schemas

_statement = engine.load_statements(__package__)

# Not Celery's: its tables contain only tasks that wait for a worker.
_SCHEMAS = (schemas.CVMS, schemas.DAGSTER, schemas.PORTAL)
_WITHOUT_ROWS = tuple(f"{schemas.PORTAL}.{name}" for name in schemas.PORTAL_SESSIONS)

_VERSION = sa.text("SHOW server_version_num")
_EXPORT_SNAPSHOT = sa.text("SELECT pg_export_snapshot()")
_NO_TIMEOUTS = sa.text(
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN"
    " ('statement_timeout', 'idle_in_transaction_session_timeout')"
)
_OTHER_SESSIONS = sa.text(
    "SELECT DISTINCT concat_ws(' by ', usename, nullif(application_name, ''))"
    " FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename IS NOT NULL AND leader_pid IS NULL AND pid <> pg_backend_pid()"
)
_REVISION = sa.text("SELECT version_num FROM cvms.alembic_version")
# Another installation has other roles; a migration grants them their rights.
_WITHOUT_ROLES = ("--no-owner", "--no-privileges")


class DumpFailed(errors.PermanentError):
    """The tables could not be dumped."""


class LoadFailed(errors.PermanentError):
    """The tables could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFile:
    """An upload and its file; `sha256` is None if the file was never read."""

    id: str
    folder: str
    lane: str
    file_name: str
    sha256: str | None
    is_quarantined: bool
    is_finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A file of a case: its id and the digest of its bytes."""

    id: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tables at one moment, while it is open.

    Attributes:
        conn: The transaction that sees the tables at that moment.
        name: The name by which another session can see the same.
        server: The major version of the server.
        revision: The revision of our tables.
        rows: How many rows each table has, by `schema.table`.
    """

    conn: sa.Connection
    name: str
    server: int
    revision: str
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _DatabaseState:
    """What a restore has to know of the database that it writes to.

    Attributes:
        server: The major version of the server.
        sessions: Who else is connected: user and program.
        is_empty: Whether our tables have no rows, or do not exist.
    """

    server: int
    sessions: Sequence[str]
    is_empty: bool


@contextlib.contextmanager
def open_snapshot(store: engine.Store) -> Iterator[Snapshot]:
    """Open a snapshot of all tables."""
    with store.translated(), store.engine.connect() as connection:
        conn = connection.execution_options(isolation_level="REPEATABLE READ")
        with conn.begin():
            conn.execute(_NO_TIMEOUTS)
            yield Snapshot(
                conn=conn,
                name=str(conn.scalar(_EXPORT_SNAPSHOT)),
                server=_get_server_version(conn),
                revision=str(conn.scalar(_REVISION)),
                rows=count_rows(conn),
            )


def list_upload_files(conn: sa.Connection) -> Sequence[UploadFile]:
    """Return every upload, sorted by id."""
    rows = conn.execute(_statement("list_upload_files"))
    return [UploadFile(**row._mapping) for row in rows]


def list_case_files(conn: sa.Connection) -> Sequence[CaseFile]:
    """Return the files of cases whose bytes were not removed, sorted by id.

    Tables of an earlier version have none.
    """
    if not sa.inspect(conn).has_table("case_files", schema=schemas.CVMS):
        return []
    rows = conn.execute(_statement("list_case_files"))
    return [CaseFile(**row._mapping) for row in rows]


def count_rows(conn: sa.Connection) -> dict[str, int]:
    """Return how many rows each table has, by `schema.table`."""
    inspector = sa.inspect(conn)
    counts = {}
    for schema in _SCHEMAS:
        for name in sorted(inspector.get_table_names(schema=schema)):
            if f"{schema}.{name}" in _WITHOUT_ROWS:
                continue
            table = sa.table(name, schema=schema)
            query = sa.select(sa.func.count()).select_from(table)
            counts[f"{schema}.{name}"] = int(conn.execute(query).scalar_one())
    return counts


def inspect_database(conn: sa.Connection) -> _DatabaseState:
    """Return the state of the database before a restore."""
    counts = count_rows(conn)
    counts.pop(f"{schemas.CVMS}.alembic_version", None)
    return _DatabaseState(
        server=_get_server_version(conn),
        sessions=sorted(conn.scalars(_OTHER_SESSIONS)),
        is_empty=not any(counts[name] for name in counts if name.startswith("cvms.")),
    )


def dump(url: str, snapshot: Snapshot, program: Path, target: Path) -> None:
    """Write the tables, as they are in the snapshot, to the file `target`.

    Raises:
        DumpFailed: With the program's error, without any value.
    """
    included = [f"--schema={schema}" for schema in _SCHEMAS]
    included += [f"--exclude-table-data={name}" for name in _WITHOUT_ROWS]
    options = ["--format=custom", *_WITHOUT_ROLES, f"--snapshot={snapshot.name}"]
    _run(DumpFailed, url, program, *options, *included, f"--file={target}")


def load(store: engine.Store, url: str, program: Path, source: Path) -> None:
    """Replace all tables by those in the dump `source`.

    The old ones are dropped first; the new ones are loaded in one transaction.

    Raises:
        LoadFailed: With the program's error, without any value.
    """
    with store.begin() as conn:
        for schema in schemas.ALL:
            conn.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
    options = ["--exit-on-error", "--single-transaction", *_WITHOUT_ROLES]
    _run(LoadFailed, url, program, *options, str(source))
    with store.begin() as conn:
        conn.execute(_NO_TIMEOUTS)
        conn.execute(sa.text("ANALYZE"))


def _get_server_version(conn: sa.Connection) -> int:
    return int(conn.scalar(_VERSION) or 0) // 10_000


def _run(
    failure: type[errors.CvmsError], url: str, program: Path, *options: str
) -> None:
    address, environment = _split_password(url)
    ended = subprocess.run(  # noqa: S603  # a program of Postgres
        [str(program), "--no-password", f"--dbname={address}", *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        umask=0o077,
        cwd="/",
    )
    if ended.returncode:
        raise failure(f"{failure.__doc__} {_find_error(ended.stderr)}".strip())


def _split_password(url: str) -> tuple[str, dict[str, str]]:
    """Return the address without the password, and an environment that holds it.

    Every user of the machine can read a command line, but not an environment.
    """
    parsed = sa.make_url(url).set(drivername="postgresql")
    facts = psycopg2.extensions.parse_dsn(parsed.render_as_string(hide_password=False))
    password = facts.pop("password", None)
    secret = {} if password is None else {"PGPASSWORD": password}
    return psycopg2.extensions.make_dsn(**facts), {**os.environ, **secret}


def _find_error(stderr: str) -> str:
    """Return the first line that names an error, with the text in quotes removed.

    Other lines, and text in quotes, may contain values of a row.
    """
    _, _, error = stderr.partition(": error:")
    return re.sub(r'"[^"]*"', '"..."', error.partition("\n")[0].strip())
