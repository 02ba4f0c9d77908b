"""The Dagster UI and a proxy in front of it, as processes of their own."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[3]
_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def program(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


@contextlib.contextmanager
def running(command: list[str], port: int, **options: Any) -> Iterator[None]:
    """Run a process while the block does, from when it listens on `port`."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 # our own words
            command, stdout=said, stderr=said, **options
        )
        try:
            _listening(process, port, said)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _listening(process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    """Wait until the process listens; fail with what it said if it does not."""
    deadline = time.monotonic() + _SECONDS
    while not listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            said.seek(0)
            pytest.fail(f"Nothing listens: {said.read()[-2_000:].decode()}")
        time.sleep(0.1)


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def ask(url: str, **options: Any) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    headers, context = options.get("headers", {}), options.get("context")
    request = urllib.request.Request(  # noqa: S310 # our own servers
        url, data=options.get("data"), headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310 # the same
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def eventually_speaks_tls(url: str, authority: Path) -> None:
    """Wait until the server has made its certificate."""
    deadline = time.monotonic() + _SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, FileNotFoundError):
            trust = ssl.create_default_context(cafile=authority)
            ask(url, context=trust)
            return
        assert time.monotonic() < deadline, f"{url} has no certificate"
        time.sleep(0.1)


def graphql(url: str, query: str, **options: Any) -> Any:
    """Return the answer to the one question of a query."""
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    data = json.dumps({"query": query}).encode()
    status, text = ask(f"{url}/graphql", data=data, headers=headers, **options)
    assert status == 200, status
    (answer,) = json.loads(text)["data"].values()
    return answer


def clean_environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CVMS_")}
    return {**kept, "DAGSTER_DISABLE_TELEMETRY": "yes", **more}
