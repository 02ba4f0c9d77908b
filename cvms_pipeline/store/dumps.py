"""The tables as a file and back, by Postgres' own pg_dump and pg_restore.

Here live the snapshot that a backup is of, what it knows, and the two programs'
words.  Which files belong to it is `ingest.backup`, where the programs are found
`local.programs`.
"""

import contextlib
import datetime as dt
import os
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2.extensions
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.store import engine

SCHEMAS = (engine.SCHEMA, "dagster")
"""What is dumped; Celery's tables hold only what is on its way to a worker."""

_VERSION = sa.text("SHOW server_version_num")
_EXPORT = sa.text("SELECT pg_export_snapshot()")
_NO_TIMEOUTS = sa.text(
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN"
    " ('statement_timeout', 'idle_in_transaction_session_timeout')"
)
_OTHERS = sa.text(
    "SELECT DISTINCT concat_ws(' by ', usename, nullif(application_name, ''))"
    " FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename IS NOT NULL AND leader_pid IS NULL AND pid <> pg_backend_pid()"
)
_AMONG = sa.text("SELECT id FROM cvms.uploads WHERE id = ANY(:ids)")
_REFUSED = sa.text("SELECT id FROM cvms.uploads WHERE claim_refusal IS NOT NULL")
_REVISION = sa.text("SELECT version_num FROM cvms.alembic_version")
# Roles are another installation's; a migration says anew what they may do.
_OF_NOBODY = ("--no-owner", "--no-privileges")
_QUOTED = re.compile(r'"[^"]*"')


class DumpFailed(errors.PermanentError):
    """The tables could not be dumped."""


class LoadFailed(errors.PermanentError):
    """The tables could not be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """An upload by what its file was: folder, lane, shown name and digest."""

    id: str
    facts: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """An upload whose bytes belong into the archive."""

    id: str
    sha256: str
    is_finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tables as they were at one moment, for as long as it is open.

    Attributes:
        name: By which another session sees the same.
        server: The major version of the server.
        revision: The revision of our tables.
        rows: How many rows each table has, by `schema.table`.
    """

    name: str
    server: int
    revision: str
    rows: Mapping[str, int]
    _conn: sa.Connection

    def recent(self, since: dt.datetime) -> list[Recent]:
        """Return the uploads that were received since a moment."""
        return recent(self._conn, since)

    def among(self, upload_ids: Collection[str]) -> set[str]:
        """Return those of the ids that are uploads."""
        return set(self._conn.scalars(_AMONG, {"ids": list(upload_ids)}))

    def quarantined(self) -> set[str]:
        """Return the uploads that were not let in."""
        return set(self._conn.scalars(_REFUSED))

    def archived(self) -> Iterator[Archived]:
        """Yield the uploads whose bytes belong into the archive."""
        conn = self._conn.execution_options(yield_per=1000)
        for row in conn.execute(engine.statement("find_archived")):
            yield Archived(**row._mapping)


@contextlib.contextmanager
def snapshot(store: engine.Store) -> Iterator[Snapshot]:
    """Have a snapshot of all tables.

    Raises:
        StoreAway: If the database cannot be reached.
    """
    with store.translated(), store.engine.connect() as connection:
        conn = connection.execution_options(isolation_level="REPEATABLE READ")
        with conn.begin():
            conn.execute(_NO_TIMEOUTS)
            yield Snapshot(
                name=str(conn.scalar(_EXPORT)),
                server=server(conn),
                revision=str(conn.scalar(_REVISION)),
                rows=rows(conn),
                _conn=conn,
            )


def server(conn: sa.Connection) -> int:
    """Return the major version of the server."""
    return int(conn.scalar(_VERSION) or 0) // 10_000


def recent(conn: sa.Connection, since: dt.datetime) -> list[Recent]:
    """Return the uploads that were received since a moment."""
    found = conn.execute(engine.statement("find_recent"), {"since": since})
    return [Recent(id=row[0], facts=tuple(row[1:])) for row in found]


def rows(conn: sa.Connection) -> dict[str, int]:
    """Return how many rows each table has, by `schema.table`."""
    inspector = sa.inspect(conn)
    counts = {}
    for schema in SCHEMAS:
        for name in sorted(inspector.get_table_names(schema=schema)):
            table = sa.table(name, schema=schema)
            query = sa.select(sa.func.count()).select_from(table)
            counts[f"{schema}.{name}"] = int(conn.execute(query).scalar_one())
    return counts


def is_unused(conn: sa.Connection) -> bool:
    """Return whether our tables hold nothing, or are not there."""
    found = rows(conn)
    own = {n for n in found if n.startswith(f"{engine.SCHEMA}.")}
    return not any(found[name] for name in own - {f"{engine.SCHEMA}.alembic_version"})


def is_head(revision: str) -> bool:
    """Return whether `revision` is the one of this version."""
    from cvms_pipeline.store import revisions  # here, because Alembic loads slowly

    return revisions.heads() == {revision}


def is_known(revision: str) -> bool:
    """Return whether this version has been at `revision`, and can go on from it."""
    from cvms_pipeline.store import revisions  # here, because Alembic loads slowly

    return revisions.are_known(revision)


def others(conn: sa.Connection) -> Sequence[str]:
    """Return who else is connected to the database: user and program."""
    return sorted(conn.scalars(_OTHERS))


def dump(url: str, taken: Snapshot, program: Path, target: Path) -> None:
    """Write the tables as the snapshot has them to the file `target`.

    Raises:
        DumpFailed: Says why, in the program's words without any value.
    """
    schemas = [f"--schema={schema}" for schema in SCHEMAS]
    options = ["--format=custom", *_OF_NOBODY, f"--snapshot={taken.name}"]
    _run(DumpFailed, url, program, *options, *schemas, f"--file={target}")


def load(store: engine.Store, url: str, program: Path, source: Path) -> None:
    """Load the dump `source` in place of the tables there are: all of it, or nothing.

    Raises:
        LoadFailed: Says why, in the program's words without any value.
    """
    with store.begin() as conn:
        for schema in (engine.SCHEMA, *engine.OTHER_SCHEMAS):
            conn.execute(sa.schema.DropSchema(schema, cascade=True, if_exists=True))
    options = ["--exit-on-error", "--single-transaction", *_OF_NOBODY]
    _run(LoadFailed, url, program, *options, str(source))
    with store.begin() as conn:
        conn.execute(_NO_TIMEOUTS)
        conn.execute(sa.text("ANALYZE"))


def _run(failed: type[errors.CvmsError], url: str, program: Path, *words: str) -> None:
    where, environment = _connection(url)
    ended = subprocess.run(  # noqa: S603  # our own words
        [str(program), "--no-password", f"--dbname={where}", *words],
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
        raise failed(f"{failed.__doc__} {_why(ended.stderr)}".strip())


def _connection(url: str) -> tuple[str, dict[str, str]]:
    """Return where to connect, which all may see, and an environment with the rest."""
    parsed = sa.make_url(url).set(drivername="postgresql")
    facts = psycopg2.extensions.parse_dsn(parsed.render_as_string(hide_password=False))
    password = facts.pop("password", None)
    secret = {} if password is None else {"PGPASSWORD": password}
    return psycopg2.extensions.make_dsn(**facts), {**os.environ, **secret}


def _why(stderr: str) -> str:
    """Return the first line that names an error, without what stands in quotes.

    The others may quote a row.
    """
    named = (line for line in stderr.splitlines() if ": error:" in line)
    return _QUOTED.sub('"..."', next(named, "").partition(": error:")[2].strip())
