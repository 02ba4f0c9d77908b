"""Short private folders, and stand-in programs for `cvms up`."""

import pathlib
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
from kept_machines import Machine

Eventually = Callable[[Callable[[], object]], None]

_SECONDS = 60


@pytest.fixture
def place() -> Iterator[pathlib.Path]:
    """A private folder whose path is short enough for a socket."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cvms-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def eventually() -> Eventually:
    """Wait until something is true, and fail if it does not become so."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def machine(place: pathlib.Path, eventually: Eventually) -> Iterator[Machine]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    used = Machine(home=place, port=port)
    yield used
    for process in used.started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    eventually(lambda: not used.left())
