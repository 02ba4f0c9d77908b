"""One running installation for all acceptance tests."""

import itertools
from collections.abc import Callable, Iterator

import pytest
import running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def up() -> Iterator[running.Running]:
    with running.started() as everything:
        yield everything
        everything.store.close()


@pytest.fixture
def people() -> Callable[[int], list[str]]:
    """Return rows of people whom nobody has uploaded yet."""

    def some(count: int) -> list[str]:
        numbers = [next(_numbers) for _ in range(count)]
        return [
            f"Ann{n},Canarywood,7/19/1931,ann{n}@canary.example.org" for n in numbers
        ]

    return some
