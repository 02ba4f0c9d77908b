"""How providers write a file: slowly, in bursts, by a rename, all at once.

The content is `plan`.
"""

import random
import threading
import time
from pathlib import Path

from tests.chaos import plan

_PARTS = 4


class Writers:
    """Everybody who is writing something at the moment."""

    def __init__(self, incoming: Path, seed: int) -> None:
        """Take the incoming folder; the seed says how long writers pause."""
        self._incoming = incoming
        self._chance = random.Random(seed)
        self._threads: list[threading.Thread] = []

    def start(self, drop: plan.Drop) -> None:
        """Let somebody write the file, beside everybody else."""
        path = self._incoming / drop.slug / drop.lane / drop.name
        path.parent.mkdir(parents=True, exist_ok=True)
        pause = self._chance.uniform(0.05, 1.5)
        thread = threading.Thread(target=write, args=(path, drop, pause))
        thread.start()
        self._threads.append(thread)

    def wait(self) -> None:
        """Wait until all have finished."""
        for thread in self._threads:
            thread.join()


def write(path: Path, drop: plan.Drop, pause: float) -> None:
    """Write the file as its writer does, `pause` seconds between its parts."""
    if drop.is_link:
        path.symlink_to("/etc/hostname")
    elif drop.habit == "slow":
        with path.open("wb") as file:
            for part in parts(drop.data):
                file.write(part)
                file.flush()
                time.sleep(pause)
    elif drop.habit == "bursts":
        _in_bursts(path, drop.data)
    elif drop.habit == "renamed":
        half = path.with_name(f"{path.name}.part")
        half.write_bytes(drop.data[: len(drop.data) // 2])
        time.sleep(pause)
        half.write_bytes(drop.data)
        half.rename(path)
    elif drop.habit == "whole":
        hidden = path.with_name(f".{path.name}")
        hidden.write_bytes(drop.data)
        hidden.rename(path)
    else:
        path.write_bytes(drop.data)


def _in_bursts(path: Path, data: bytes) -> None:
    """Write the parts one after another; some programs open the file for each."""
    for part in parts(data):
        with path.open("ab") as file:
            file.write(part)


def parts(data: bytes) -> list[bytes]:
    """Return the bytes in a few pieces."""
    size = max(1, -(-len(data) // _PARTS))
    return [data[start : start + size] for start in range(0, len(data), size)] or [b""]
