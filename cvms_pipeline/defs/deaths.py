"""What a Celery worker does when one of its children is killed: it ends, too.

Children of a worker whose broker is a database take turns by a lock that they
share.  One that is killed while it waits for work keeps that lock for good, and no
other would get work again.  A worker that has ended is started anew, and the runs
that it worked on are found by the locks of `store.presence`.
"""

import contextlib
import functools
import os
import signal
from typing import Any

from celery import bootsteps


class EndsWithItsChildren(bootsteps.StartStopStep):  # type: ignore[misc]  # untyped
    """Watches the children of a worker, once they have been started."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Ask to be told of children that have ended, where they share a lock."""
        pool = parent.pool._pool
        if pool.on_process_down is None:  # else each child has a pipe of its own
            pool.on_process_down = functools.partial(end_with, pool)


def end_with(pool: Any, child: Any) -> None:
    """End the process and its other children at once, if `child` was killed.

    Nothing in an orderly end would get by the lock.
    """
    if child.exitcode is None or child.exitcode >= 0:
        return
    for other in list(pool._pool):
        with contextlib.suppress(ProcessLookupError):
            os.kill(other.pid, signal.SIGKILL)
    os._exit(os.EX_SOFTWARE)
