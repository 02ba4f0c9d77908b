"""How to measure on a machine that is not quiet: in turns, with medians.

Also what was measured on: the machine and the versions.  What is measured, the
benchmarks know.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

Way = Callable[[int], float]
"""Does something for the n-th time and returns the seconds that count."""

LIBRARIES = ("dagster", "pandas", "pandera", "pyarrow", "psycopg2-binary", "sqlalchemy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of some figures, and between what half of them lie."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the median with the quartiles, in two or three digits."""
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def interleaved(
    ways: Mapping[str, Way],
    *,
    repetitions: int,
    warm_up: int = 1,
    seconds: float | None = None,
) -> dict[str, list[float]]:
    """Return the seconds of each way, taken in turns: A B C, A B C, and so on.

    So whatever slows the machine down slows all ways down alike.  The first
    `warm_up` turns do not count.  After `seconds` no further turn is begun, once one
    has counted.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for nth in range(warm_up + repetitions):
        is_late = deadline is not None and time.monotonic() > deadline
        if is_late and nth > warm_up:
            break
        for name, way in ways.items():
            took = way(nth)
            if nth >= warm_up:
                spent[name].append(took)
    return spent


def spread(figures: Sequence[float]) -> Spread:
    """Return the median and the quartiles of `figures`."""
    if len(figures) == 1:
        return Spread(median=figures[0], low=figures[0], high=figures[0])
    low, median, high = statistics.quantiles(figures, n=4, method="inclusive")
    return Spread(median=median, low=low, high=high)


def p95(figures: Sequence[float]) -> float:
    """Return the figure that 95 % of them do not exceed, as far as there are."""
    return sorted(figures)[round(0.95 * (len(figures) - 1))]


def ratios(one: Sequence[float], other: Sequence[float]) -> Spread:
    """Return how many times `other` the figures of `one` are, turn by turn."""
    return spread([a / b for a, b in zip(one, other, strict=True)])


def machine() -> dict[str, str | int | float]:
    """Return what a reader has to know to compare the figures with others."""
    return {
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{library: metadata.version(library) for library in LIBRARIES},
    }


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        facts = []
    lines = [line for line in facts if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.processor()
