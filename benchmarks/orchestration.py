"""What an orchestrated upload costs: waiting, throughput, processor, and doing nothing.

    python -m benchmarks.orchestration [--broker redis] [--quick] [--json]

One `cvms up` on the embedded default, or with a Redis of its own as broker.  Single
files of 100 rows are dropped one after another on an idle system, then many at once
from four providers, then nothing at all.
Processor time is counted up to the last notice, and up to the last invitation.
Then single files with Redis, and the same assets under `dagster dev` with Dagster's
defaults.  With --quick both are left out and null, because one file under the defaults
takes longer than all the rest.
"""

import contextlib
import itertools
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import measuring, redis_server, running, sample_rows, showing

ROWS = 100
REJECTED_PERCENT = 10
WORKERS = 3  # as many as there are by default: each is slower the first time
POSTGRES, REDIS = "postgres", "redis"
_seeds = itertools.count(1)

GOALS = {
    "drop_to_notice_p50_s": "<= 1.5",
    "drop_to_notice_redis_p50_s": "<= 1.0",
    "files_per_minute": ">= 150",
    "cpu_s_per_file": "<= 0.5",
    "idle_cores": "<= 0.1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many files one by one, how many at once, how many idle seconds.

    And how many one by one with Redis, and under Dagster's defaults.
    """

    singles: int
    together: int
    idle_seconds: int
    with_redis: int
    by_default: int


FULL = Size(singles=31, together=100, idle_seconds=60, with_redis=31, by_default=3)
QUICK = Size(singles=3, together=8, idle_seconds=4, with_redis=0, by_default=0)


def main() -> int:
    """Measure and print."""
    more = ("--broker", f"{POSTGRES} (default), or {REDIS}, which must be installed")
    chosen = showing.options(__doc__, None, more)
    size = QUICK if chosen.quick else FULL
    try:
        with started(chosen.broker or POSTGRES) as installation:
            found = measure(installation, size)
    except redis_server.RedisMissingError as missing:
        showing.progress(f"NOT MEASURED WITH REDIS: {missing}")
        return 1
    if chosen.broker == REDIS:
        with_redis = found["drop_to_notice_p50_s"]
    else:
        with_redis = by_redis(size.with_redis)
    found["drop_to_notice_redis_p50_s"] = with_redis
    found["default_drop_to_notice_p50_s"] = by_default(size.by_default)
    rows = [(name, str(found[name]), GOALS.get(name, "")) for name in found]
    made = showing.table(
        "An orchestrated upload of 100 rows",
        ("figure", "measured", "goal"),
        rows,
        showing.on(measuring.machine()),
    )
    showing.result(found, as_json=chosen.json, table=made)
    return 0


@contextlib.contextmanager
def started(broker: str) -> Iterator[running.Installation]:
    """Run an installation with that broker.

    Raises:
        RedisMissingError: If it is Redis, and there is none here.
    """
    with contextlib.ExitStack() as stack:
        more = {}
        if broker == REDIS:
            more = stack.enter_context(redis_server.running())
        elif broker != POSTGRES:
            raise SystemExit(f"--broker is {POSTGRES} or {REDIS}, not {broker!r}.")
        yield stack.enter_context(running.started(**more))


def measure(installation: running.Installation, size: Size) -> dict[str, float | None]:
    """Return the figures, by the names that the JSON object has."""
    showing.progress("One file after another ...")
    waits = _singles(installation, size.singles)
    showing.progress("Many at once ...")
    cpu = installation.cpu_seconds()
    took = _drop(installation, "many", size.together)
    spent = installation.cpu_seconds() - cpu
    _until(installation.is_quiet)
    spent_in_all = installation.cpu_seconds() - cpu
    showing.progress("Nothing at all ...")
    cpu = installation.cpu_seconds()
    time.sleep(size.idle_seconds)
    idle = (installation.cpu_seconds() - cpu) / size.idle_seconds
    return {
        "drop_to_notice_p50_s": round(statistics.median(waits), 3),
        "drop_to_notice_p95_s": round(measuring.p95(waits), 3),
        "files_per_minute": round(60 * size.together / took, 1),
        "cpu_s_per_file": round(spent / size.together, 3),
        "cpu_s_per_file_with_invitations": round(spent_in_all / size.together, 3),
        "idle_cores": round(idle, 3),
    }


def by_redis(count: int) -> float | None:
    """Return the median seconds from drop to notice where Redis is the broker."""
    if not count:
        return None
    showing.progress("One file after another, with Redis ...")
    try:
        with started(REDIS) as installation:
            waits = _singles(installation, count)
    except redis_server.RedisMissingError as missing:
        showing.progress(f"NOT MEASURED WITH REDIS: {missing}")
        return None
    return round(statistics.median(waits), 3)


def by_default(count: int) -> float | None:
    """Return the median seconds from drop to notice under `dagster dev`."""
    if not count:
        return None
    showing.progress("The same under Dagster's defaults ...")
    with running.started_by_default() as installation:
        waits = [_drop(installation, f"default{nth}x", 1) for nth in range(count)]
    return round(statistics.median(waits), 3)


def _singles(installation: running.Installation, count: int) -> list[float]:
    """Drop files one after another, each when all is quiet; return their seconds."""
    _drop(installation, "warm", WORKERS)
    _until(installation.is_quiet)
    waits = []
    for nth in range(count):
        waits.append(_drop(installation, f"single{nth}x", 1))
        _until(installation.is_quiet)
    return waits


def _drop(installation: running.Installation, prefix: str, count: int) -> float:
    """Drop files; return after how many seconds the last of them was told of."""
    began = time.monotonic()
    for nth in range(count):
        content = sample_rows.upload(
            ROWS, rejected_percent=REJECTED_PERCENT, seed=next(_seeds)
        )
        slug = running.PROVIDERS[nth % len(running.PROVIDERS)]
        installation.drop(content, slug=slug, name=f"{prefix}-{nth}.csv")
    _until(lambda: len(installation.seconds_to_notice(f"{prefix}-")) == count)
    return time.monotonic() - began


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
