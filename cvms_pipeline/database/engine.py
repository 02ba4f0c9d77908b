"""The connection to Postgres: transactions, and what the driver's errors become.

Here live the engine with its timeouts, its pool of connections, the one translation of
driver errors and the named SQL files.  No table is known here.
"""

import contextlib
import copy
import functools
import re
import time
from collections.abc import Callable, Collection, Iterator
from importlib import resources
from typing import Any, Self

import psycopg2
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import faults

_SESSION = (
    "-c statement_timeout=120s -c lock_timeout=30s"
    " -c idle_in_transaction_session_timeout=600s -c timezone=UTC"
    " -c search_path=pg_catalog -c jit=off"
)
_UNIQUE_VIOLATION, _DEADLOCK = "23505", "40P01"
_DRIVER_ERRORS = (sa.exc.SQLAlchemyError, psycopg2.Error)
_IDLE_SECONDS = 1.0
_ATTEMPT_SECONDS = 0.1
_USED_AT = "cvms_used_at"

_SET_ACTOR = sa.text("SELECT set_config('cvms.actor', :actor, true)")

Connection = sa.Connection
"""For modules above the store, which only pass it on."""


class StoreAway(errors.TransientError):
    """The database cannot be reached, or cannot take more work, for the moment."""


class StoreConflict(errors.TransientError):
    """Too many uploads wrote the same recipients at the same time."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(faults.TOO_MANY_WRITERS.describe())


class StoreError(errors.PermanentError):
    """The database refused a statement.

    Attributes:
        constraint: The constraint that was violated, or None.
        table: The table it belongs to, or None.
        state: The SQLSTATE, or None.
    """

    constraint: str | None = None
    table: str | None = None
    state: str | None = None


class Store:
    """A pool of connections to one database, whose errors hide parameters."""

    def __init__(self, url: str, *, pool_size: int = 4, actor: str = "unknown") -> None:
        """Keep up to `pool_size` connections to `url`; the first use connects.

        The audit names `actor` as the author of what is done through them.
        """
        parsed = sa.make_url(url).set(drivername="postgresql+psycopg2")
        url_options = parsed.query.get("options", "")
        self.engine = sa.create_engine(
            parsed,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_recycle=1800,
            pool_timeout=30,
            connect_args={
                "application_name": "cvms",
                "connect_timeout": 10,
                "options": f"{_SESSION} -c cvms.actor={_quoted(actor)} {url_options}",
            },
        )
        ping_idle_connections(self.engine)
        self._actor: str | None = None

    def acting_as(self, actor: str) -> Self:
        """Return the same store with another `actor`; the connections are shared."""
        shared = copy.copy(self)
        shared._actor = actor
        return shared

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open one transaction: committed at the end, rolled back on an error.

        Raises:
            StoreAway: If trying again later can help.
            StoreError: If not; it names a constraint and a table, never a value.
        """
        with self.translated(), self.engine.begin() as conn:
            if self._actor is not None:
                conn.execute(_SET_ACTOR, {"actor": self._actor})
            yield conn

    @contextlib.contextmanager
    def statements(self) -> Iterator[sa.Connection]:
        """Open a connection on which each statement is a transaction of its own.

        Raises:
            StoreAway, StoreError: As `begin` does.
        """
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.translated(), autocommit.connect() as conn:
            yield conn

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Raise errors of the driver as `StoreAway` or `StoreError`."""
        try:
            yield
        except _DRIVER_ERRORS as error:
            failure = _translate(error)
            _remove_values(error)
            raise failure from None

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


def _quoted(value: str) -> str:
    """Return a value as one word of the connection's `options`."""
    return re.sub(r"([\\\s])", r"\\\1", value)


def ping_idle_connections(
    engine: sa.Engine, *, idle_seconds: float = _IDLE_SECONDS
) -> None:
    """Let `engine` test a connection before use if it was idle for a second.

    A closed one is replaced together with all that are as old.  SQLAlchemy's
    `pool_pre_ping` tests at every use, which was a sixth of the cost of a run.  A
    server that restarts within the second is as likely as one that restarts in the
    middle of a statement, and has the same effect: the work is repeated.
    """

    def note_use(_connection: Any, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    def ping(
        connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: object
    ) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < idle_seconds:
            return  # new, or used a moment ago
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", note_use)
    sa.event.listen(engine, "checkout", ping)


def outlast_restarts(engine: sa.Engine, *, seconds: float) -> None:
    """Let `engine` test each connection before use, and wait so long for a new one."""

    def connect(
        dialect: sa.Dialect, _record: object, arguments: Any, options: Any
    ) -> Any:
        end = time.monotonic() + seconds
        while True:
            try:
                return dialect.connect(*arguments, **options)
            except dialect.loaded_dbapi.OperationalError:
                if time.monotonic() >= end:
                    raise
                time.sleep(_ATTEMPT_SECONDS)

    sa.event.listen(engine, "do_connect", connect)
    ping_idle_connections(engine, idle_seconds=0)


def limit_statements(engine: sa.Engine, *, milliseconds: int) -> None:
    """Let the server cancel what takes longer; closes what is open and not in use."""

    def set_limit(connection: Any, _record: object) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds:d}")

    sa.event.listen(engine, "connect", set_limit)
    engine.dispose()


def skip_statements(engine: sa.Engine, start: str) -> None:
    """Let `engine` send no statement that begins with `start`, which has no result."""

    def is_done(_cursor: Any, statement: str, *_more: Any) -> bool:
        return statement.startswith(start)

    sa.event.listen(engine, "do_execute", is_done)
    # SQLAlchemy has a second event for statements without values.
    sa.event.listen(engine, "do_execute_no_params", is_done)


def load_statements(package: str) -> Callable[[str], sa.TextClause]:
    """Return a function that returns the statement in `sql/<name>.sql` of `package`."""
    folder = resources.files(package) / "sql"

    @functools.cache
    def load_statement(name: str) -> sa.TextClause:
        return sa.text((folder / f"{name}.sql").read_text("utf-8"))

    return load_statement


@contextlib.contextmanager
def suppress_lost_race(constraints: Collection[str]) -> Iterator[None]:
    """End the block without an error if another transaction was faster.

    That is so if it has violated one of `constraints`, or was chosen to end a deadlock.
    """
    try:
        yield
    except _DRIVER_ERRORS as error:
        state, constraint, _ = _read_diagnostics(error)
        is_violated = state == _UNIQUE_VIOLATION and constraint in constraints
        if not is_violated and state != _DEADLOCK:
            raise


def _driver_error(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, sa.exc.DBAPIError) else error


def _read_diagnostics(error: Exception) -> tuple[str | None, str | None, str | None]:
    """Return SQLSTATE, constraint and table, each None if the server names none."""
    cause = _driver_error(error)
    if not isinstance(cause, psycopg2.Error):
        return None, None, None
    return cause.pgcode, cause.diag.constraint_name, cause.diag.table_name


def _translate(error: Exception) -> errors.CvmsError:
    state, constraint, table = _read_diagnostics(error)
    if state is None and _is_disconnected(error):
        return StoreAway(faults.DATABASE_AWAY.describe(_explain_failure(error)))
    fault = faults.find_by_sqlstate(state or "")
    if fault.is_passing:
        return StoreAway(fault.describe(f"SQLSTATE {state}"))
    named = [f"SQLSTATE {state}"] if state else [type(error).__name__]
    named += [f"constraint {constraint}"] if constraint else []
    named += [f"table {table}"] if table else []
    refusal = StoreError(fault.describe(", ".join(named)))
    refusal.constraint, refusal.table, refusal.state = constraint, table, state
    return refusal


def _is_disconnected(error: Exception) -> bool:
    cause = _driver_error(error)
    lost = (psycopg2.OperationalError, psycopg2.InterfaceError, sa.exc.TimeoutError)
    # A connection that broke in the middle of an answer is a bare DatabaseError.
    return isinstance(cause, lost) or type(cause) is psycopg2.DatabaseError


def _explain_failure(error: Exception) -> str:
    """Return why connecting failed; before that succeeds, no row has been sent."""
    if not isinstance(error, sa.exc.DBAPIError) or error.statement is not None:
        return ""
    return str(error.orig).strip().partition("\n")[0]


def _remove_values(error: Exception) -> None:
    """Remove the values from `error`, which stays reachable as a `__context__`."""
    link: BaseException | None = error
    while isinstance(link, _DRIVER_ERRORS):
        following = link.__cause__ or link.__context__
        link.args = ()
        link.__cause__ = link.__context__ = None
        if isinstance(link, sa.exc.StatementError):
            link.statement = link.params = link.orig = None
        link = following
