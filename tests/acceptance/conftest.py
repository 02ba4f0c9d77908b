"""One running installation for all acceptance tests, and not longer."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import running

_numbers = itertools.count(1)
_running = contextlib.ExitStack()


@pytest.fixture(scope="session")
def up() -> Iterator[running.Running]:
    with _running:
        everything = _running.enter_context(running.started())
        _running.callback(everything.store.close)
        yield everything


@pytest.hookimpl(trylast=True)  # when the test has let go of it
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop it after the last of its tests: idle, too, it keeps the machine busy."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _running.close()


@pytest.fixture
def people() -> Callable[[int], list[str]]:
    """Return rows of people whom nobody has uploaded yet."""

    def some(count: int) -> list[str]:
        numbers = [next(_numbers) for _ in range(count)]
        return [
            f"Ann{n},Canarywood,7/19/1931,ann{n}@canary.example.org" for n in numbers
        ]

    return some
