"""One embedded server for several commands: which of them starts and stops it.

Two locks decide, as the kernel keeps them (flock): each ends with the last process
that has its file open, so that no lock outlives its owner.  Who may start or stop the
server at the moment has the first one alone.  Each user of the server shares the second
one, which the last user can therefore take alone.
"""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cvms_pipeline import disk
from cvms_pipeline.local import private
from cvms_pipeline.local.postgres import embedded

_TAKEOVER_SECONDS = 5
_POLL_SECONDS = 0.05


@contextlib.contextmanager
def use_server(data: Path) -> Iterator[embedded.EmbeddedPostgres]:
    """Let one command use the embedded server, beside others that do.

    The first command that needs it starts it, and the last one stops it.  While
    `cvms up` runs, the server belongs to that, and this only waits for it.
    """
    server = embedded.EmbeddedPostgres(data)
    with _open_locks(data) as (starting, users):
        with _hold(starting):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not server.is_running() and _try_take(users):
                server.start()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            server.wait_until_ready()
            yield server
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            with _hold(starting):
                if _try_take(users):
                    server.stop()


@contextlib.contextmanager
def own_server(data: Path) -> Iterator[embedded.EmbeddedPostgres]:
    """Let `cvms up` own the embedded server: initialised and stopped, to be started.

    Commands that use it already get some seconds to finish; later ones wait until
    it runs, and leave it running.
    """
    server = embedded.EmbeddedPostgres(data)
    with _open_locks(data) as (starting, users):
        with _hold(starting):
            _try_take(users, seconds=_TAKEOVER_SECONDS)
            server.stop()
            server.ensure_initialised()
            fcntl.flock(users, fcntl.LOCK_SH)
        yield server


@contextlib.contextmanager
def _open_locks(data: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open the locks of who may start or stop the server, and of who uses it."""
    folder = private.ensure_folder(data.absolute() / "run")
    with (
        disk.open_private(folder / "postgres.start.lock", "ab") as starting,
        disk.open_private(folder / "postgres.lock", "ab") as users,
    ):
        yield starting, users


@contextlib.contextmanager
def _hold(lock: BinaryIO) -> Iterator[None]:
    """Wait for the lock, and have it alone during the block."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def _try_take(lock: BinaryIO, *, seconds: float = 0) -> bool:
    """Take the lock alone; return False if others still have it after some seconds.

    A shared lock on the same file is lost when this returns False.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
