"""Ends an embedded Postgres that runs but does not answer; supervisord restarts it.

supervisord notices that a process has died, not that it hangs.  A Postgres that loses a
process of its own at the moment of its start can wait for that one without end.
"""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from urllib import parse

import psutil

from cvms_pipeline.local.postgres import embedded

_PAUSE_SECONDS = 5.0
_ANSWER_SECONDS = 4.0
_MAX_SILENT = 3
"""How often in succession it may give no answer: the machine may only be slow."""

_NO_ANSWER = 2  # of pg_isready


@contextlib.contextmanager
def watch_server(server: embedded.EmbeddedPostgres) -> Iterator[None]:
    """Watch the server while the block runs."""
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=[server, is_over], daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def is_stuck(server: embedded.EmbeddedPostgres) -> bool:
    """Return whether the server runs and gives no answer, not even "not yet"."""
    if server.find_process() is None:
        return False
    place = parse.parse_qs(parse.urlsplit(server.url).query)
    options = ["-q", "-h", place["host"][0], "-p", place["port"][0]]
    program = str(embedded.find_programs() / "pg_isready")
    timeout = ["-t", f"{_ANSWER_SECONDS:.0f}"]
    ended = subprocess.run([program, *options, *timeout], cwd="/")  # noqa: S603  # no shell
    return ended.returncode == _NO_ANSWER


def _watch(server: embedded.EmbeddedPostgres, is_over: threading.Event) -> None:
    silent = 0
    while not is_over.wait(_PAUSE_SECONDS):
        silent = silent + 1 if is_stuck(server) else 0
        process = server.find_process()
        if silent > _MAX_SILENT and process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            silent = 0
