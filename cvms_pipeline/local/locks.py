"""Locks between the commands on one machine, as the kernel keeps them (flock).

A lock goes with the last process that has its file open, however that ends, so
that there is never a stale one.  What a lock means is said where it is used.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open the lock file `path`, made 0600; closing it gives the lock back."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Have the lock `path` alone; waits for it."""
    with opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def share(descriptor: int) -> None:
    """Take the lock together with others who share it; waits for it."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def release(descriptor: int) -> None:
    """Give the lock back and keep its file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def try_take(descriptor: int, *, patience: float = 0) -> bool:
    """Take the lock alone; return False if others have it for `patience` seconds.

    A shared lock that was held on `descriptor` is lost when this returns False.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
