"""A database that runs but answers nobody: it is ended, and so started again.

supervisord sees that a process has died, not that it hangs.  A Postgres that loses a
process of its own in the very moment of its start can come to wait for it for ever.
"""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from urllib import parse

import psutil

from cvms_pipeline.local import postgres

PAUSE_SECONDS = 5.0
ANSWER_SECONDS = 4.0
MOST_SILENT = 3
"""How often in turn it may give no answer, on a machine that is merely slow."""

_NO_ANSWER = 2  # of pg_isready


@contextlib.contextmanager
def watched(server: postgres.EmbeddedPostgres) -> Iterator[None]:
    """Watch the server while the block runs."""
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=[server, is_over], daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def is_stuck(server: postgres.EmbeddedPostgres) -> bool:
    """Return whether the server runs and answers nobody, not even "not yet"."""
    if server.process() is None:
        return False
    place = parse.parse_qs(parse.urlsplit(server.url).query)
    where = ["-h", place["host"][0], "-p", place["port"][0]]
    command = [str(postgres.binaries() / "pg_isready"), "-q", *where]
    asked = subprocess.run([*command, "-t", f"{ANSWER_SECONDS:.0f}"], cwd="/")  # noqa: S603  # our own words
    return asked.returncode == _NO_ANSWER


def _watch(server: postgres.EmbeddedPostgres, is_over: threading.Event) -> None:
    silent = 0
    while not is_over.wait(PAUSE_SECONDS):
        silent = silent + 1 if is_stuck(server) else 0
        if silent > MOST_SILENT:
            _end(server)
            silent = 0


def _end(server: postgres.EmbeddedPostgres) -> None:
    process = server.process()
    if process is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
