"""What the portal's processes take, and what they write into their log."""

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from benchmarks import running

LINE = re.compile(r" (?:GET|POST) (\w+) (?:200|302) (\d+) ms$", re.M)
_LOG_SECONDS = 5.0


def get_log(installation: running.Installation) -> Path:
    """Return the log of the portal."""
    return installation.data / "logs" / "portal.log"


def read_times(log: Path, start: int) -> Mapping[str, Sequence[float]]:
    """Return by page how many milliseconds its answers took since `start`."""
    pages: dict[str, list[float]] = {}
    for name, milliseconds in _read_lines(log, start):
        pages.setdefault(name, []).append(float(milliseconds))
    return pages


def wait_for_times(log: Path, start: int, count: int) -> list[float]:
    """Return how many milliseconds `count` answers took since `start`.

    Their lines are written by another process, so a little later.
    """
    until = time.monotonic() + _LOG_SECONDS
    while len(lines := _read_lines(log, start)) < count and time.monotonic() < until:
        time.sleep(0.005)
    return [float(milliseconds) for _, milliseconds in lines]


def measure_processor(installation: running.Installation) -> float:
    """Return the processor time so far, in seconds."""
    times = [each.cpu_times() for each in _list_processes(installation)]
    return sum(each.user + each.system for each in times)


def measure_memory(installation: running.Installation) -> float:
    """Return the memory in MB; pages that several processes share count once."""
    found = [each.memory_full_info() for each in _list_processes(installation)]
    return sum(each.pss for each in found) / 1e6


def _read_lines(log: Path, start: int) -> list[tuple[str, str]]:
    with log.open("rb") as file:
        file.seek(start)
        return LINE.findall(file.read().decode())


def _list_processes(installation: running.Installation) -> list[psutil.Process]:
    found = []
    for each in installation.up.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if "cvms_pipeline.portal.site.serving" in " ".join(each.cmdline()):
                found.append(each)
    return found
