"""A database that hangs: noticed, ended, and so started again."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cvms_pipeline.local.postgres import embedded, watchdog


@pytest.fixture
def server() -> Iterator[embedded.EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="cvms-") as folder:
        started = embedded.EmbeddedPostgres(Path(folder) / "data")
        started.start()
        yield started
        started.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(watchdog, "_ANSWER_SECONDS", 1.0)


def test_a_server_that_answers_is_not_ended(
    server: embedded.EmbeddedPostgres,
) -> None:
    assert not watchdog.is_stuck(server)


def test_a_server_that_does_not_run_is_not_stuck(
    server: embedded.EmbeddedPostgres,
) -> None:
    server.stop()

    assert not watchdog.is_stuck(server)


def test_a_server_that_hangs_is_ended(
    server: embedded.EmbeddedPostgres, eventually: Callable[..., None]
) -> None:
    process = server.find_process()
    assert process is not None
    process.send_signal(signal.SIGSTOP)

    with watchdog.watch_server(server):
        eventually(lambda: server.find_process() is None)
