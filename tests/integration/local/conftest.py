"""Short private folders, and stand-in programs for `cvms up`."""

import pathlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest
from kept_machines import Machine

from benchmarks import ports

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
    used = Machine(home=place, port=ports.find_free())
    yield used
    for process in used.started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    eventually(lambda: not used.left())
