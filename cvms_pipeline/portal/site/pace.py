"""How long an answer takes that must not say whether there is such an account."""

import contextlib
import time
from collections.abc import Iterator

_ANSWER_SECONDS = 0.4
"""How long it takes, whoever it is about."""


@contextlib.contextmanager
def answer_alike() -> Iterator[None]:
    """Let what is done inside take the same time, whatever it is."""
    began = time.monotonic()
    yield
    time.sleep(max(0.0, began + _ANSWER_SECONDS - time.monotonic()))
