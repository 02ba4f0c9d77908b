"""Who is at work: a lock that lives no longer than its holder's connection.

Postgres gives an advisory lock back when the session that took it ends, however it
ends; so a free lock proves that the holder is gone, on this machine or another.
"""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from cvms_pipeline.store import engine

_TAKE = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_GIVE_BACK = sa.text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_PROBE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@contextlib.contextmanager
def held(store: engine.Store, name: str) -> Iterator[None]:
    """Hold the lock `name` while the block runs, on a connection of its own.

    Raises:
        StoreAway: If the store cannot be reached at the start.
    """
    with contextlib.ExitStack() as stack:
        with store.translated():
            connection = stack.enter_context(store.engine.connect())
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(_TAKE, {"name": name})
        try:
            yield
        finally:
            _give_back(connection, name)


def is_held(store: engine.Store, name: str) -> bool:
    """Return whether some session holds the lock `name`."""
    with store.begin() as conn:
        return not conn.scalar(_PROBE, {"name": name})


def _give_back(connection: sa.Connection, name: str) -> None:
    """Give the lock back; a session that has ended by itself did so already."""
    try:
        connection.execute(_GIVE_BACK, {"name": name})
    except sa.exc.SQLAlchemyError:
        connection.invalidate()
