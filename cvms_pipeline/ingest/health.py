"""Whether all is well: what was seen, and what of it somebody should look at.

Only the judgement, on numbers.  Who asks processes, tables and disks for them is
`local.watching`; who shows them, `cli.status` and `local.metrics`.
"""

import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cvms_pipeline.files import space, unclaimed
from cvms_pipeline.store import health, neighbours

NOT_RUNNING = "not running"
_WORKING = "running"
_STARTING = "starting"
_PATIENCE = dt.timedelta(minutes=2)
"""So long a misplaced file is let lie: whoever put it there may be about to move it."""


class State(enum.IntEnum):
    """How bad it is; the value is the exit code that monitoring knows."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on something is a warning, and from when on critical."""

    warning_after: dt.timedelta
    critical_after: dt.timedelta
    warning_free_percent: float
    critical_free_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of `cvms up`.

    Attributes:
        name: What it is called in docs and logs.
        state: The supervisor's word for it in lower case, or NOT_RUNNING.
        pid: Its process id, or None.
        uptime_seconds: For how long it has run, or None.
    """

    name: str
    state: str
    pid: int | None
    uptime_seconds: float | None

    @property
    def is_up(self) -> bool:
        """Return whether it works, as far as the supervisor knows."""
        return self.state == _WORKING


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of one installation at one moment; None: could not be asked.

    Attributes:
        at: The moment.
        processes: Of `cvms up`; None where something else runs them.
        backlog: What waits in our tables.
        queue: What waits in Dagster's and Celery's.
        unclaimed: What waits in the incoming folder, or lies there in no lane.
        spaces: The room on the disks.
        faults: A sentence for each place that could not be asked.
    """

    at: dt.datetime
    processes: Sequence[Process] | None
    backlog: health.Backlog | None
    queue: neighbours.Queue | None
    unclaimed: unclaimed.Unclaimed | None
    spaces: Sequence[space.Space]
    faults: Sequence[str]

    def age(self, since: dt.datetime | None) -> float:
        """Return how many seconds ago `since` was; 0 for None."""
        return 0.0 if since is None else max(0.0, (self.at - since).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that somebody should look at, in a sentence without personal data."""

    state: State
    text: str


def problems(seen: Seen, limits: Limits) -> list[Problem]:
    """Return what is wrong, the worst first."""
    found = [
        *_of_processes(seen.processes or ()),
        *(Problem(state=State.CRITICAL, text=text) for text in seen.faults),
        *_of_waiting(seen, limits),
        *_of_misplaced(seen),
        *_of_failed(seen.backlog),
        *_of_refused(seen.backlog),
        *_of_retention(seen.queue),
        *_of_spaces(seen.spaces, limits),
    ]
    return sorted(found, key=lambda each: each.state, reverse=True)


def worst(found: Sequence[Problem]) -> State:
    """Return the state of the whole."""
    return max((each.state for each in found), default=State.OK)


def _of_processes(processes: Sequence[Process]) -> Iterator[Problem]:
    if processes and all(each.state == NOT_RUNNING for each in processes):
        yield Problem(state=State.CRITICAL, text="`cvms up` is not running.")
        return
    for each in processes:
        if not each.is_up:
            is_coming = each.state == _STARTING
            state = State.WARNING if is_coming else State.CRITICAL
            text = f"The process {each.name} is not working: {each.state}."
            yield Problem(state=state, text=text)


def _of_waiting(seen: Seen, limits: Limits) -> Iterator[Problem]:
    waiting = []
    if seen.backlog is not None:
        what = f"The upload {seen.backlog.oldest_upload} has not finished"
        waiting += [(what, seen.backlog.oldest_upload_at)]
        waiting += [("A message has waited", seen.backlog.oldest_message_at)]
    if seen.unclaimed is not None:
        what = "A file in the incoming folder has not been taken in"
        waiting += [(what, seen.unclaimed.oldest_at)]
    for what, since in waiting:
        age = dt.timedelta(seconds=seen.age(since))
        if age >= min(limits.warning_after, limits.critical_after):
            is_long = age >= limits.critical_after
            yield Problem(
                state=State.CRITICAL if is_long else State.WARNING,
                text=f"{what} for {_minutes(age)}.",
            )


def _of_misplaced(seen: Seen) -> Iterator[Problem]:
    files = seen.unclaimed
    if files is None or not files.misplaced:
        return
    if seen.age(files.oldest_misplaced_at) >= _PATIENCE.total_seconds():
        what = "1 file in the incoming folder lies in no lane, and nobody takes it in"
        which = "it"
        if files.misplaced > 1:
            what = (
                f"{files.misplaced:,} files in the incoming folder lie in no lane, and"
                " nobody takes them in"
            )
            which = "each"
        yield Problem(
            state=State.WARNING,
            text=(
                f"{what}. Move {which} into low_volume or high_volume of its provider."
            ),
        )


def _of_failed(backlog: health.Backlog | None) -> Iterator[Problem]:
    failed = 0 if backlog is None else backlog.uploads_failed
    if failed:
        what = (
            "1 upload has failed" if failed == 1 else f"{failed:,} uploads have failed"
        )
        yield Problem(state=State.WARNING, text=f"{what}; see `cvms uploads`.")


def _of_refused(backlog: health.Backlog | None) -> Iterator[Problem]:
    """Yield what nobody else will mend: who mistypes addresses is the provider."""
    refused = backlog and backlog.notices_refused + backlog.alerts_refused
    if refused:
        what = "1 message" if refused == 1 else f"{refused:,} messages"
        text = (
            f"The mail server has refused {what} to a provider or data-ops; see"
            " `cvms messages --refused`."
        )
        yield Problem(state=State.WARNING, text=text)


def _of_retention(queue: neighbours.Queue | None) -> Iterator[Problem]:
    if queue is not None and queue.is_retention_failed:
        text = "The last run of the job retention has failed; see its page."
        yield Problem(state=State.WARNING, text=text)


def _of_spaces(spaces: Sequence[space.Space], limits: Limits) -> Iterator[Problem]:
    for each in spaces:
        least = max(limits.warning_free_percent, limits.critical_free_percent)
        if each.free_percent < least:
            is_little = each.free_percent < limits.critical_free_percent
            yield Problem(
                state=State.CRITICAL if is_little else State.WARNING,
                text=(
                    f"The disk of the folder {each.name} has {each.free_percent:.0f} %"
                    f" free, {each.free_bytes / 1e9:.1f} GB."
                ),
            )


def _minutes(age: dt.timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    return "1 minute" if minutes == 1 else f"{minutes:,} minutes"
