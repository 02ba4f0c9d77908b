"""The Dagster daemon, with shorter pauses, and not stopped by a clock that is set back.

`python -m cvms_pipeline.run_engine.daemon run` is `dagster-daemon run`, except that:

* Dagster starts the next tick of a sensor up to five seconds after the last one has
  ended.  It has no setting for it, and a file dropped in between would wait.
* Dagster starts no tick of a sensor whose last tick is in the future.  After a clock
  that was ahead is set back, no sensor would run until the time has come again.
* Its loops sleep until moments of the clock.  So when the clock is set back, the
  process ends, and whatever has started it starts it again.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from dagster._daemon import cli, sensor

_SENSOR_PAUSE_SECONDS = 0.5
_CLOCK_PERIOD_SECONDS = 1.0
_MAX_SET_BACK_SECONDS = 10.0
"""A smaller step back only makes the pauses of this moment longer by so much."""

_END_SECONDS = 3.0
"""How long the process may take to end; a sensor that waits in its tick takes more."""


def main() -> None:
    """Run `dagster-daemon` with the arguments of the command line."""
    sensor.MIN_INTERVAL_LOOP_TIME = _SENSOR_PAUSE_SECONDS  # type: ignore[assignment]  # a number like any other
    sensor.is_under_min_interval = _ignore_future_ticks(sensor.is_under_min_interval)
    watch = threading.Thread(target=_watch_clock, args=(_end_process,), daemon=True)
    watch.start()
    cli.main()


def _ignore_future_ticks(is_under_min_interval: Callable[..., bool]) -> Any:
    """Return the same function, to which a tick in the future is long ago.

    The tick that begins then replaces the time in the future.
    """

    def is_under(state: Any, *arguments: Any) -> bool:
        elapsed = sensor.get_elapsed(state)
        if elapsed is not None and elapsed < -_MAX_SET_BACK_SECONDS:
            return False
        return is_under_min_interval(state, *arguments)

    return is_under


def _watch_clock(
    report: Callable[[], None],
    *,
    read_clock: Callable[[], float] = time.time,
    read_uptime: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return after reporting that the clock was set back."""
    offset = read_clock() - read_uptime()
    while True:
        pause(_CLOCK_PERIOD_SECONDS)
        current = read_clock() - read_uptime()
        if current < offset - _MAX_SET_BACK_SECONDS:
            report()
            return
        offset = max(offset, current)


def _end_process() -> None:
    logging.getLogger("dagster.daemon").warning(
        "The clock was set back: the daemon ends, so that its loops begin anew."
    )
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)  # a tick may die at any point


if __name__ == "__main__":
    main()
