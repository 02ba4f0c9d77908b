"""Who is at work: a lock that lives exactly as long as its holder's connection.

Postgres gives an advisory lock back when the session that took it ends, however
it ends; so a free lock proves that the holder has died, on this machine or another.
"""

import contextlib
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.store import engine

_TAKE = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_PROBE = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A lock that is held until `release`, or until the process ends."""

    store: engine.Store
    connection: sa.Connection

    def release(self) -> None:
        """Give the lock back by ending its session."""
        with contextlib.suppress(sa.exc.DBAPIError):
            self.connection.invalidate()
        self.connection.close()
        self.store.close()


def hold(store: engine.Store, name: str) -> Presence:
    """Take the lock `name` on a connection of its own, closed with `store`.

    Raises:
        StoreAway: If the store cannot be reached.
    """
    with store.translated():
        connection = store.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        )
        connection.execute(_TAKE, {"name": name})
    return Presence(store=store, connection=connection)


def is_held(store: engine.Store, name: str) -> bool:
    """Return whether some session holds the lock `name`."""
    with store.begin() as conn:
        return not conn.scalar(_PROBE, {"name": name})
