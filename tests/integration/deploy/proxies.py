"""The Dagster UI and a proxy in front of it, as separate processes."""

import contextlib
import http.client
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from benchmarks import ports
from cvms_pipeline.local import processes
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]
_SECONDS = 60


def program(name: str) -> str:
    return str(Path(sysconfig.get_path("scripts")) / name)


@contextlib.contextmanager
def running(command: list[str], port: int, **options: Any) -> Iterator[IO[bytes]]:
    """Run a process while the block does, from when it listens on `port`.

    Yield the file into which it writes; who reads it moves no position (`os.pread`).
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 # our own words
            command, stdout=said, stderr=said, **options
        )
        try:
            _listening(process, port, said)
            yield said
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


@contextlib.contextmanager
def dagster_ui(home: Path, *, is_guarded: bool = True, **chosen: Any) -> Iterator[str]:
    """Run the UI as `cvms up` does, or Dagster's by itself; yield its address.

    The code server is away, which the UI bears.
    """
    (home / "dagster.yaml").touch()
    made = loading.load(home=home, port=ports.find_free(), **chosen)
    (program,) = (p for p in processes.prepare_services(made) if p.name == "webserver")
    command = list(program.command)
    if not is_guarded:
        command[command.index(processes.WEB_SERVER)] = "dagster_webserver"
    environment = clean_environment(**processes.build_environment(made))
    with running(command, made.web.port, env=environment, cwd=home):
        yield f"http://127.0.0.1:{made.web.port}"


def eventually(is_true: Callable[[], bool]) -> bool:
    """Return True once it is true, False if that takes too long."""
    deadline = time.monotonic() + _SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def read_headers(url: str, **options: Any) -> http.client.HTTPMessage:
    """Return the headers of an answer."""
    request = urllib.request.Request(url, headers=options["headers"])  # noqa: S310 # our own servers
    context = options["context"]
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310 # the same
        return answer.headers


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
