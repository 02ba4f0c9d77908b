"""A database that hangs: noticed, ended, and so started again."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cvms_pipeline.local import postgres, stuck


@pytest.fixture
def server() -> Iterator[postgres.EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="cvms-") as folder:
        started = postgres.EmbeddedPostgres(Path(folder) / "data")
        started.start()
        yield started
        started.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stuck, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(stuck, "ANSWER_SECONDS", 1.0)


def test_a_server_that_answers_is_left_alone(
    server: postgres.EmbeddedPostgres,
) -> None:
    assert not stuck.is_stuck(server)


def test_a_server_that_is_not_there_is_not_stuck(
    server: postgres.EmbeddedPostgres,
) -> None:
    server.stop()

    assert not stuck.is_stuck(server)


def test_a_server_that_hangs_is_ended(
    server: postgres.EmbeddedPostgres, eventually: Callable[..., None]
) -> None:
    process = server.process()
    assert process is not None
    process.send_signal(signal.SIGSTOP)

    with stuck.watched(server):
        eventually(lambda: server.process() is None)
