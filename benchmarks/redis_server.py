"""A Redis of one's own to be measured as broker: Debian's, on a free port.

Only starting and stopping it; what goes through it, `orchestration` measures.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ports

PROGRAM = "redis-server"
_START_SECONDS = 30


class RedisMissingError(Exception):
    """There is no redis-server here, or it does not start."""


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run it in a temporary folder; yield the settings that make it the broker.

    Raises:
        RedisMissingError: If it cannot be run.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise RedisMissingError(
            f"{PROGRAM} is not on the PATH (Debian: apt install {PROGRAM})"
        )
    port = ports.find_free()
    with tempfile.TemporaryDirectory(prefix="cvms-redis-") as folder:
        options = {"port": port, "bind": "127.0.0.1", "save": "", "dir": folder}
        words = [word for name in options for word in (f"--{name}", str(options[name]))]
        log = Path(folder) / "log"
        with log.open("wb") as told:
            server = subprocess.Popen([program, *words], stdout=told, stderr=told)
        try:
            _wait_until_answers(port, server, log)
            url = f"redis://127.0.0.1:{port}"
            yield {"CVMS_BROKER_URL": f"{url}/0", "CVMS_RESULT_BACKEND_URL": f"{url}/1"}
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_until_answers(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RedisMissingError(
        f"{PROGRAM} does not answer: {log.read_text('utf-8', 'replace')}"
    )
