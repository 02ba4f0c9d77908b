"""The daemon after the clock was set back."""

import contextlib
import itertools
import signal
import subprocess
import sys
import time

import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
)
from dagster._daemon import sensor

from cvms_pipeline.run_engine import daemon

TWO_DAYS = 2 * 86_400
UP = 100.0


class Sensor:
    """What Dagster reads of a sensor here."""

    min_interval_seconds = 5


def ticked(at):
    """Return the state of a sensor with a last tick at that time."""
    place = RegisteredCodeLocationOrigin("cvms_pipeline")
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(place, "__repository__"), "waiting_messages"
    )
    data = SensorInstigatorData(last_tick_timestamp=at, last_tick_start_timestamp=at)
    return InstigatorState(
        origin, InstigatorType.SENSOR, InstigatorStatus.DECLARED_IN_CODE, data
    )


# How many seconds ago the last tick was, and whether the next one has to wait.
TICKS = [(3600, False), (1, True), (-2, True), (-TWO_DAYS, False)]


@pytest.mark.parametrize(("ago", "is_early"), TICKS)
def test_a_tick_in_the_future_stops_no_sensor(ago, is_early):
    original = sensor.is_under_min_interval
    state = ticked(time.time() - ago)

    assert daemon._ignore_future_ticks(original)(state, Sensor()) is is_early


def test_dagster_itself_would_wait_for_the_future():
    state = ticked(time.time() + TWO_DAYS)

    assert sensor.is_under_min_interval(state, Sensor())


class OverError(Exception):
    """The test ends here."""


# By how many seconds the clock moves at each look, and whether the daemon ends.
CLOCKS = [
    ([0, 0, 0], False),
    ([0, -2, -2], False),  # what a time service corrects
    ([0, 3600, 3600], False),  # set forward
    ([0, 0, -TWO_DAYS], True),
    ([0, TWO_DAYS, 0], True),  # set forward and back
    ([0, -6, -12], True),  # in small steps
]


@pytest.mark.parametrize(("shifts", "ends"), CLOCKS)
def test_a_clock_that_is_set_back_ends_the_daemon(shifts, ends):
    reports: list[str] = []
    pauses: list[int] = []
    moments = itertools.count(1_000_000)
    clock = iter([next(moments) + shift for shift in shifts])

    def pause(_seconds):
        pauses.append(1)
        if len(pauses) == len(shifts):
            raise OverError

    uptime = itertools.count(UP)
    with contextlib.suppress(OverError):
        daemon._watch_clock(
            lambda: reports.append("set back"),
            read_clock=lambda: next(clock),
            read_uptime=lambda: next(uptime),
            pause=pause,
        )

    assert bool(reports) is ends


WAITING_TICK = """
import concurrent.futures, signal, sys, threading, time
from cvms_pipeline.run_engine import daemon
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
executor = concurrent.futures.ThreadPoolExecutor()
executor.submit(time.sleep, 600)
threading.Thread(target=daemon._end_process, daemon=True).start()
time.sleep(600)
"""


def test_a_tick_that_waits_does_not_delay_the_end_of_the_daemon():
    ended = subprocess.run([sys.executable, "-c", WAITING_TICK], timeout=120)  # noqa: S603 # ours

    assert ended.returncode == -signal.SIGKILL
