"""The broker in Postgres, which a worker looks into ten times a second.

kombu asks for the queue and for a message, with a lock and through objects, each time
it looks; doing nothing cost more processor time there than anywhere else.  Names of
kombu's own that this touches are watched by `test_defs_broker.py`.
"""

import functools
import queue as queues
from typing import Any

import kombu.transport.sqlalchemy

from cvms_pipeline.store import neighbours

POLL_SECONDS = 0.1
"""How often a worker looks for work, where the broker is Postgres."""


class Channel(kombu.transport.sqlalchemy.Channel):
    """kombu's, which looks whether there is a message before it takes one."""

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the next message.

        Raises:
            Empty: If none waits, in whatever queue.
        """
        with self._looking.connect() as conn:
            if not neighbours.has_broker_message(conn):
                raise queues.Empty
        return super()._get(queue)  # type: ignore[no-untyped-call]  # kombu's

    @functools.cached_property
    def _looking(self) -> Any:
        """The broker's own connections, without a transaction around each look."""
        engine, _ = self._open()  # type: ignore[no-untyped-call]  # kombu's
        return engine.execution_options(isolation_level="AUTOCOMMIT")


def look_often_and_cheaply() -> None:
    """Let this process look so into a broker in Postgres; of others nothing changes."""
    kombu.transport.sqlalchemy.Transport.polling_interval = POLL_SECONDS
    kombu.transport.sqlalchemy.Transport.Channel = Channel
