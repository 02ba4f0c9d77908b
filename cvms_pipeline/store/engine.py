"""The way to Postgres: connections, transactions and what their errors become.

Here live the engine with its timeouts, the one translation of driver errors, the
named SQL files and the way to the newest revision.  No table is known here.
"""

import contextlib
import functools
import re
from collections.abc import Collection, Iterator
from importlib import resources

import psycopg2
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.store import pooling, roles

SCHEMA = "cvms"
OTHER_SCHEMAS = ("dagster", "celery")
"""Of our neighbours in the same database, who make their own tables."""

_SESSION = (
    "-c statement_timeout=120s -c lock_timeout=30s"
    " -c idle_in_transaction_session_timeout=600s -c timezone=UTC"
    " -c search_path=pg_catalog -c jit=off"
)
# Connection, resources (disk full), operator, transaction rollback, system error.
_TRANSIENT_CLASSES = frozenset({"08", "53", "57", "40", "58"})
# Lock not available; read-only transaction, as on a standby just before fail-over.
_TRANSIENT_STATES = frozenset({"55P03", "25006"})
_UNIQUE, _DEADLOCK = "23505", "40P01"

_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")

Connection = sa.Connection
"""For those above who hand one on and use nothing of it."""

DRIVER_ERRORS = (sa.exc.SQLAlchemyError, psycopg2.Error)
"""What SQLAlchemy raises, and what the driver raises where it is used itself."""


class StoreAway(errors.TransientError):
    """The database cannot be reached, or cannot take more work, for the moment."""


class StoreConflict(errors.TransientError):
    """Too many uploads wrote the same recipients at the same time."""


class StoreError(errors.PermanentError):
    """The database refused a statement.

    Attributes:
        constraint: The constraint that spoke against it, or None.
        table: The table it belongs to, or None.
        state: The SQLSTATE, or None.
    """

    def __init__(
        self,
        message: str = "",
        *,
        constraint: str | None = None,
        table: str | None = None,
        state: str | None = None,
    ) -> None:
        """Take the facts that hold no row's value."""
        super().__init__(message)
        self.constraint, self.table, self.state = constraint, table, state


class Store:
    """A pool of connections to one database.

    Attributes:
        engine: SQLAlchemy's engine, which hides parameters in its errors.
    """

    def __init__(self, url: str, *, pool_size: int = 4, actor: str = "unknown") -> None:
        """Keep up to `pool_size` connections to `url`; none is made yet.

        Args:
            url: The database.
            pool_size: How many connections.
            actor: Who works through them, as the audit shall name it.
        """
        parsed = sa.make_url(url).set(drivername="postgresql+psycopg2")
        named = parsed.query.get("options", "")
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
                "options": f"{_SESSION} -c cvms.actor={_quoted(actor)} {named}",
            },
        )
        pooling.try_after_a_pause(self.engine)

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open one transaction: committed at the end, rolled back on an error.

        Raises:
            StoreAway: If trying again later can help.
            StoreError: If not; it names a constraint and a table, never a value.
        """
        with self.translated(), self.engine.begin() as conn:
            yield conn

    @contextlib.contextmanager
    def statements(self) -> Iterator[sa.Connection]:
        """Open a connection on which each statement is a transaction of its own.

        Raises:
            StoreAway: If trying again later can help.
            StoreError: If not; it names a constraint and a table, never a value.
        """
        alone = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with self.translated(), alone.connect() as conn:
            yield conn

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the errors of driver and SQLAlchemy inside into ours."""
        try:
            yield
        except DRIVER_ERRORS as error:
            failure = _translate(error)
            _forget(error)
            raise failure from None

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


def _quoted(value: str) -> str:
    """Return a value as one word of the `options` of a connection."""
    return re.sub(r"([\\\s])", r"\\\1", value)


@functools.cache
def statement(name: str) -> sa.TextClause:
    """Return the SQL of the file `sql/<name>.sql`, its values still to be bound."""
    file = resources.files("cvms_pipeline.store") / "sql" / f"{name}.sql"
    return sa.text(file.read_text("utf-8"))


def is_lost_race(error: Exception, constraints: Collection[str]) -> bool:
    """Return whether another transaction won: at a constraint, or as a deadlock."""
    state, constraint, _ = _facts(error)
    return state == _DEADLOCK or (state == _UNIQUE and constraint in constraints)


def _facts(error: Exception) -> tuple[str | None, str | None, str | None]:
    """Return SQLSTATE, constraint and table, as far as the server told them."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(cause, psycopg2.Error):
        return None, None, None
    diag = cause.diag
    return cause.pgcode, diag.constraint_name, diag.table_name


def _translate(error: Exception) -> errors.CvmsError:
    state, constraint, table = _facts(error)
    if state is None and _is_lost(error):
        return StoreAway(f"{StoreAway.__doc__} {_why(error)}".strip())
    if state and (state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES):
        return StoreAway(f"{StoreAway.__doc__} (SQLSTATE {state})")
    named = [f"SQLSTATE {state}"] if state else [type(error).__name__]
    named += [f"constraint {constraint}"] if constraint else []
    named += [f"table {table}"] if table else []
    return StoreError(
        f"The database refused a statement ({', '.join(named)}).",
        constraint=constraint,
        table=table,
        state=state,
    )


def _is_lost(error: Exception) -> bool:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    lost = (psycopg2.OperationalError, psycopg2.InterfaceError, sa.exc.TimeoutError)
    # A connection that broke in the middle of an answer is a bare DatabaseError.
    return isinstance(cause, lost) or type(cause) is psycopg2.DatabaseError


def _why(error: Exception) -> str:
    """Return why connecting failed; no row has been on its way by then."""
    if not isinstance(error, sa.exc.DBAPIError) or error.statement is not None:
        return ""
    return f"({str(error.orig).strip().partition(chr(10))[0]})"


def _forget(error: Exception) -> None:
    """Take the values out of `error`: it stays reachable as a `__context__`."""
    link: BaseException | None = error
    while isinstance(link, DRIVER_ERRORS):
        following = link.__cause__ or link.__context__
        link.args = ()
        link.__cause__ = link.__context__ = None
        if isinstance(link, sa.exc.StatementError):
            link.statement = link.params = link.orig = None
        link = following


def upgrade(url: str, service: roles.Service | None = None) -> None:
    """Bring the database at `url` to the newest revision; makes the schema.

    Two processes may do this at once: the second one waits, then finds it done.

    Args:
        url: The database, as the role that is to own the tables.
        service: The role that is to work with them, if it is another.

    Raises:
        StoreAway: If the database cannot be reached.
        RoleMissing, RoleTooMighty: If `service` cannot be let in as it should.
    """
    from cvms_pipeline.store import revisions  # here, because Alembic loads slowly

    with contextlib.closing(Store(url, pool_size=1)) as store, store.begin() as conn:
        conn.execute(_ONE_AT_A_TIME, {"name": "cvms db upgrade"})
        for schema in (SCHEMA, *OTHER_SCHEMAS):
            if not sa.inspect(conn).has_schema(schema):
                conn.execute(sa.schema.CreateSchema(schema))
        revisions.upgrade(conn)
        if service is not None:
            roles.let_in(conn, service)


def is_current(url: str, service: roles.Service | None = None) -> bool:
    """Return whether the database is at the newest revision, and `service` let in.

    Raises:
        StoreAway: If the database cannot be reached.
    """
    from cvms_pipeline.store import revisions  # here, because Alembic loads slowly

    with contextlib.closing(Store(url, pool_size=1)) as store, store.begin() as conn:
        is_newest = revisions.are_current(conn, SCHEMA)
        return is_newest and (service is None or roles.may_work(conn, service))
