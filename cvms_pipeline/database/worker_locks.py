"""Locks that show which runs have a worker: each is held as long as a connection.

Postgres releases an advisory lock when the session that took it ends, however it
ends; so a free lock proves that the worker has ended, on this machine or another.
"""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from cvms_pipeline.database import engine

_TAKE = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_RELEASE = sa.text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_PROBE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@contextlib.contextmanager
def hold(store: engine.Store, name: str) -> Iterator[None]:
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
            try:
                connection.execute(_RELEASE, {"name": name})
            except sa.exc.SQLAlchemyError:
                connection.invalidate()  # its session has ended, and with it the lock


def is_held(store: engine.Store, name: str) -> bool:
    """Return whether some session holds the lock `name`."""
    with store.begin() as conn:
        return not conn.scalar(_PROBE, {"name": name})
