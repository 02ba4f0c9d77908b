"""What a worker does differently because its broker is Postgres.

A database does not push a task to a worker: kombu polls it, and the children of a
worker do so one at a time, by a lock that they share.  With Redis or RabbitMQ, nothing
of this is used.
"""

import contextlib
import functools
import os
import queue as queues
from typing import Any

import kombu.transport
import kombu.transport.sqlalchemy
import psutil
from celery.concurrency import prefork

from cvms_pipeline.database import dagster_tables

_POLL_SECONDS = 0.1


class Channel(kombu.transport.sqlalchemy.Channel):
    """A channel that finds out by one statement whether a message waits.

    The statements, the lock and the objects of kombu's own poll made an idle worker the
    largest user of processor time.
    """

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the next message; kombu's channels are to override this method.

        Raises:
            Empty: If no message waits, in whatever queue.
        """
        with self._reader.connect() as conn:
            if not dagster_tables.has_broker_message(conn):
                raise queues.Empty
        return super()._get(queue)  # type: ignore[no-untyped-call]  # kombu's

    @functools.cached_property
    def _reader(self) -> Any:
        """The broker's own connections, without a transaction for each statement."""
        return self.session.get_bind().execution_options(isolation_level="AUTOCOMMIT")


class Transport(kombu.transport.sqlalchemy.Transport):
    """kombu's transport over a database, polled more often."""

    Channel = Channel
    polling_interval = _POLL_SECONDS


class TaskPool(prefork.TaskPool):  # type: ignore[misc]  # untyped
    """Celery's pool of child processes, which ends if a child is killed.

    A child that is killed while it waits for work never releases the lock, so no other
    child would get work again.  The ended worker is started again, and the runs that it
    worked on are found by the locks of `database.worker_locks`.
    """

    def on_start(self) -> None:
        """Start the children; observe them where they share a lock."""
        if self.options.get("threads", True):  # else each has a pipe of its own
            self.options["on_process_down"] = _end_if_killed
        super().on_start()


def register_transport() -> None:
    """Let this process reach databases by `Transport`."""
    kombu.transport.TRANSPORT_ALIASES["sqla"] = f"{__name__}:{Transport.__name__}"


def _end_if_killed(child: Any) -> None:
    """End this process and its other children at once, if `child` was killed."""
    if child.exitcode is None or child.exitcode >= 0:
        return
    for other in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            other.kill()
    os._exit(os.EX_SOFTWARE)  # an orderly end would wait for the lock
