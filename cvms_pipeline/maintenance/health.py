"""Health: a snapshot of an installation, and the problems in it.

Only the decisions, on numbers.  `inspection` takes the snapshot, `health_report` is
what `cli.status` and `local.metrics` show of it.
"""

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.domain.vocabulary import faults
from cvms_pipeline.store import listing
from cvms_pipeline.store.help_desk import queue as case_queue

NOT_RUNNING = "not running"
_RUNNING = "running"
_STARTING = "starting"
_MISPLACED_GRACE = dt.timedelta(minutes=2)
"""A person who has put a file in the wrong place may be about to move it."""


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
        name: Its name in documents and logs.
        state: The supervisor's word for it in lower case, or NOT_RUNNING.
        pid: Its process id; None while it does not run.
        uptime_seconds: How long it has run; None while it does not.
    """

    name: str
    state: str
    pid: int | None
    uptime_seconds: float | None

    @property
    def is_up(self) -> bool:
        """Return whether it works, as far as the supervisor knows."""
        return self.state == _RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCounts:
    """Files that wait to become uploads, and those that never will.

    Attributes:
        files: How many wait, those in unfinished claims included.
        oldest_at: Since when the oldest of them has been there, or None.
        misplaced: How many are in no lane, so that they are never taken in; above a
            thousand they are not counted.
        oldest_misplaced_at: Since when the oldest of these has been there, or None.
    """

    files: int
    oldest_at: dt.datetime | None
    misplaced: int = 0
    oldest_misplaced_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """The room on the file system of the folder of a name; only what we may use."""

    folder: str
    free_bytes: int
    size_bytes: int

    @property
    def free_percent(self) -> float:
        """Return the free share in percent."""
        return 100 * self.free_bytes / self.size_bytes if self.size_bytes else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSnapshot:
    """An installation at one moment; None means that it did not answer.

    Attributes:
        processes: Those of `cvms up`; None where something else runs them.
        backlog: What waits in our tables.
        queue: What waits in those of Dagster and Celery.
        cases: The cases of the help desk.
        recipients: How many were `loaded`, have `passwords_set`, are `registered`, or
            whose address was `denied`.
        failures: A sentence for each place that did not answer.
        database_failure: The same of the database.
        has_mail_server: Whether messages go to a mail server, or into a Maildir.
    """

    taken_at: dt.datetime
    processes: Sequence[Process] | None
    backlog: listing.Backlog | None
    queue: dagster_tables.QueueCounts | None
    cases: case_queue.Counts | None = None
    recipients: Mapping[str, int] | None = None
    incoming: IncomingCounts | None
    disks: Sequence[DiskSpace]
    failures: Sequence[str]
    database_failure: str | None = None
    has_mail_server: bool = True

    @property
    def is_stopped(self) -> bool:
        """Return whether none of the processes of `cvms up` runs."""
        return bool(self.processes) and all(
            process.state == NOT_RUNNING for process in self.processes or ()
        )

    def get_age(self, since: dt.datetime | None) -> dt.timedelta:
        """Return how long ago `since` was; zero for None and for the future."""
        return max(self.taken_at - (since or self.taken_at), dt.timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that needs attention, in a sentence without personal data."""

    state: State
    text: str


def find_problems(snapshot: HealthSnapshot, limits: Limits) -> list[Problem]:
    """Return what is wrong, the worst first."""
    problems = [
        *_find_in_processes(snapshot),
        *(Problem(state=State.CRITICAL, text=text) for text in snapshot.failures),
        *_find_in_ages(snapshot, limits),
        *_find_misplaced(snapshot),
        *_find_in_outcomes(snapshot),
        *_find_in_disks(snapshot.disks, limits),
    ]
    return sorted(problems, key=lambda problem: problem.state, reverse=True)


def get_worst_state(problems: Sequence[Problem]) -> State:
    """Return the worst of the states; OK if there is no problem."""
    return max((problem.state for problem in problems), default=State.OK)


def explain_message_error(snapshot: HealthSnapshot) -> str | None:
    """Return what has failed with the message that was tried most often, if any."""
    error = snapshot.backlog and snapshot.backlog.message_error
    if not error:
        return None
    return faults.describe_mail_error(error, has_server=snapshot.has_mail_server)


def _find_in_processes(snapshot: HealthSnapshot) -> Iterator[Problem]:
    processes, failure = snapshot.processes or (), snapshot.database_failure
    has_own_database = any(process.name == "postgres" for process in processes)
    if failure is not None and not (snapshot.is_stopped and has_own_database):
        yield _make_problem(failure, is_critical=True)
    if snapshot.is_stopped:
        yield _make_problem("`cvms up` is not running.", is_critical=True)
        return
    for process in processes:
        if not process.is_up:
            text = f"The process {process.name} is not working: {process.state}."
            yield _make_problem(text, is_critical=process.state != _STARTING)


def _find_in_ages(snapshot: HealthSnapshot, limits: Limits) -> Iterator[Problem]:
    ages: list[tuple[str, dt.datetime | None, str | None]] = []
    backlog = snapshot.backlog
    if backlog is not None:
        what = f"The upload {backlog.oldest_upload} has not finished"
        ages += [(what, backlog.oldest_upload_at, backlog.oldest_upload_failure)]
        why = explain_message_error(snapshot)
        ages += [("A message has waited", backlog.oldest_message_at, why)]
    if snapshot.incoming is not None:
        what = "A file in the incoming folder has not been taken in"
        ages += [(what, snapshot.incoming.oldest_at, None)]
    for what, since, why in ages:
        age = snapshot.get_age(since)
        if age >= min(limits.warning_after, limits.critical_after):
            minutes = _count(int(age.total_seconds()) // 60, "minute", "minutes")
            is_critical = age >= limits.critical_after
            text = f"{what} for {minutes}.{f' {why}' if why else ''}"
            yield _make_problem(text, is_critical=is_critical)


def _find_misplaced(snapshot: HealthSnapshot) -> Iterator[Problem]:
    counts = snapshot.incoming
    if counts is None or not counts.misplaced:
        return
    if snapshot.get_age(counts.oldest_misplaced_at) >= _MISPLACED_GRACE:
        files = _count(counts.misplaced, "file", "files")
        yield _make_problem(
            f"{files} in no lane of the incoming folder; such files are not taken in."
            " Move each into low_volume or high_volume of its provider."
        )


def _find_in_outcomes(snapshot: HealthSnapshot) -> Iterator[Problem]:
    backlog, queue = snapshot.backlog, snapshot.queue
    if backlog is not None and backlog.uploads_failed:
        what = _count(backlog.uploads_failed, "upload has", "uploads have")
        text = f"{what} failed; see `cvms uploads --status failed`."
        if backlog.failed_upload_failure:
            text += f" The last, {backlog.failed_upload}: "
            text += backlog.failed_upload_failure
        yield _make_problem(text)
    # Not of invitations: a recipient's address is the provider's to correct.  Nor of
    # cases and accounts: whoever registers may type an address that there is not.
    refused = backlog and (
        backlog.notices_refused + backlog.alerts_refused + backlog.help_desk_refused
    )
    if refused:
        what = _count(refused, "message", "messages")
        text = (
            f"The mail server has refused {what} to a provider, the help desk or"
            " data-ops; see `cvms messages --refused`."
        )
        yield _make_problem(text)
    if queue is not None and queue.is_retention_failed:
        yield _make_problem(
            "The last run of the job retention has failed; see its page."
        )
    if snapshot.cases is not None and snapshot.cases.overdue:
        what = _count(snapshot.cases.overdue, "case", "cases")
        yield _make_problem(
            f"{what} of the help desk waited too long; see `cvms cases --overdue`."
        )
    for name in (queue and queue.stopped) or ():
        yield _make_problem(
            f"A person has stopped {name}. Start it in the Dagster UI, Automation."
        )


def _find_in_disks(disks: Sequence[DiskSpace], limits: Limits) -> Iterator[Problem]:
    highest = max(limits.warning_free_percent, limits.critical_free_percent)
    for disk in disks:
        if disk.free_percent < highest:
            yield _make_problem(
                f"The disk of the folder {disk.folder} has {disk.free_percent:.0f} %"
                f" free, {disk.free_bytes / 1e9:.1f} GB.",
                is_critical=disk.free_percent < limits.critical_free_percent,
            )


def _make_problem(text: str, *, is_critical: bool = False) -> Problem:
    return Problem(state=State.CRITICAL if is_critical else State.WARNING, text=text)


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {many}"
