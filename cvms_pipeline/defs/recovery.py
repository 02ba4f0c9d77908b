"""Who starts again what has failed, after how long, and when data-ops are alerted.

Decisions about steps and runs, for `failures` and `sensors`; they read Dagster's
records and never the store.  The table of everything that is retried, with the state
machines, is in docs/architecture.md.

Dagster restarts a run whose worker has died, but only three times (`dagster.yaml`),
and never if its code server has died, too.  So the sensor `lost_runs` inspects the
uploads whose last run has failed.  A request has the failed run in its key: however
often it is made, one run follows.  A run that a person has canceled is not restarted.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import dagster as dg

from cvms_pipeline import errors
from cvms_pipeline.defs import partitions
from cvms_pipeline.domain.vocabulary import faults

PROCESS_UPLOAD = "process_upload"
MAX_STEP_RETRIES = 40
"""After a transient error, before the run fails: about ten minutes in all."""

TRANSIENT_FAILURE = "a later run may succeed"
"""Key in the metadata of a failure after which another run is requested."""

_FAILURES_BEFORE_ALERT = 5
"""How often a run may be lost without an alert: workers die several at a time."""

_STEP_FIRST_WAIT = dt.timedelta(seconds=2)
_STEP_LONGEST_WAIT = dt.timedelta(seconds=15)
_RUN_FIRST_WAIT = dt.timedelta(seconds=4)
_RUN_LONGEST_WAIT = dt.timedelta(minutes=10)
_DAGSTER_RETRY_GRACE = dt.timedelta(seconds=30)
"""How long Dagster has to start a run again that it has marked for a retry."""

_RETRY_NOTE_DELAY = dt.timedelta(seconds=5)
"""After a run has failed, until Dagster has surely noted whether it will retry it."""

_FAILURES_OVERLAP = dt.timedelta(seconds=10)
"""How much of the time before is read again: a failure may become visible late."""

_PERMANENT_FAILURE_PAUSE = dt.timedelta(minutes=1)
"""Between two deliveries of which the first has failed permanently."""

_CLOCK_TOLERANCE = dt.timedelta(minutes=1)
"""By how much the clocks of two machines may differ."""

_MAX_RECENT_RUNS = 100
_WILL_RETRY_TAG = "dagster/will_retry"
_KEPT_TAGS = (partitions.PROVIDER_TAG, partitions.LANE_TAG, partitions.PRIORITY_TAG)

_FAILURE = dg.DagsterRunStatus.FAILURE


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunHistory:
    """The runs of one upload that had the same purpose.

    `job_name` is the job that does what these runs were for.  There is at least one of
    the `records`; the newest is the first.
    """

    upload_id: str
    job_name: str
    records: Sequence[dg.RunRecord]

    @property
    def newest(self) -> dg.DagsterRun:
        """Return the run that was created last."""
        return self.records[0].dagster_run

    @property
    def failed(self) -> list[dg.DagsterRun]:
        """Return the runs that have failed, the newest first."""
        runs = [record.dagster_run for record in self.records]
        return [run for run in runs if run.status == _FAILURE]


def get_step_wait(retry_number: int) -> dt.timedelta:
    """Return the wait before the next retry of a step that was retried so often."""
    return errors.backoff(
        retry_number, first=_STEP_FIRST_WAIT, longest=_STEP_LONGEST_WAIT
    )


def list_histories(
    instance: dg.DagsterInstance, upload_ids: Collection[str]
) -> list[_RunHistory]:
    """Return the run histories of these uploads, one for each purpose."""
    if not upload_ids:
        return []
    tags = {partitions.PARTITION_TAG: sorted(upload_ids)}
    found: dict[tuple[str, str], list[dg.RunRecord]] = {}
    for record in instance.get_run_records(dg.RunsFilter(tags=tags)):
        run = record.dagster_run
        key = (run.tags[partitions.PARTITION_TAG], _get_job_name(run))
        found.setdefault(key, []).append(record)
    return [
        _RunHistory(upload_id=upload_id, job_name=job_name, records=records)
        for (upload_id, job_name), records in found.items()
    ]


def list_failures(
    instance: dg.DagsterInstance, *, since: dt.datetime, now: dt.datetime
) -> tuple[list[dg.DagsterRun], dt.datetime]:
    """Return runs that failed after a moment, earliest first, and where to continue.

    The next call continues a little before `now`: it may return a run again.  A moment
    in the future is from a clock that was set back since: `now` replaces it.
    """
    since = min(since, now)
    failed = dg.RunsFilter(
        statuses=[_FAILURE],
        updated_after=since,
        updated_before=now - _RETRY_NOTE_DELAY,
    )
    records = instance.get_run_records(
        failed, limit=_MAX_RECENT_RUNS, order_by="update_timestamp", ascending=True
    )
    runs = [record.dagster_run for record in records]
    if len(records) == _MAX_RECENT_RUNS:  # there may be more
        return runs, records[-1].update_timestamp.replace(tzinfo=dt.UTC)
    return runs, max(since, now - _FAILURES_OVERLAP)


def list_recently_failed(instance: dg.DagsterInstance) -> set[str]:
    """Return the uploads of the latest runs that have failed."""
    failed = instance.get_runs(
        dg.RunsFilter(statuses=[_FAILURE]), limit=_MAX_RECENT_RUNS
    )
    return {i for i in map(partitions.get_upload_id, failed) if i is not None}


def list_canceled(histories: Iterable[_RunHistory]) -> list[str]:
    """Return the uploads of which a person has canceled the last processing run."""
    return [
        history.upload_id
        for history in histories
        if history.newest.status == dg.DagsterRunStatus.CANCELED
        and not partitions.is_message_run(history.newest)
    ]


def request_lost_runs(
    instance: dg.DagsterInstance, histories: Iterable[_RunHistory], *, now: dt.datetime
) -> list[dg.RunRequest]:
    """Return a request for each history with a lost last run that has waited."""
    return [
        _request(history)
        for history in histories
        if _is_due(history, now=now) and not _is_permanent(instance, history.newest)
    ]


def find_alert_key(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Return what the alert about a failed run is about; there is one alert for a key.

    Returns None if no alert is due: another run follows, by Dagster or by the sensor
    `lost_runs`, or has followed.
    """
    if run.tags.get(_WILL_RETRY_TAG) == "true":
        return None
    history = _find_history(instance, run)
    if history is not None and history.newest.run_id != run.run_id:
        return None
    if _is_permanent(instance, run):
        # Runs that send messages are requested for as long as messages wait, so they
        # may fail every minute: one alert a day is enough.
        is_repeated = partitions.is_message_run(run)
        return _make_daily_key(instance, run) if is_repeated else run.run_id
    if history is None:
        # Nothing restarts a run about no upload, except one that sends messages.
        return None if partitions.is_message_run(run) else run.run_id
    # One alert for a series of lost runs: its key is the first that is one too many.
    earliest_first = history.failed[::-1]
    excess = earliest_first[_FAILURES_BEFORE_ALERT:]
    return excess[0].run_id if excess else None


def describe_failure(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> tuple[str | None, str]:
    """Return the step that has failed, if known, and why, in a sentence of ours."""
    failures = _list_step_failures(instance, run)
    for event in reversed(failures):
        report = event.step_failure_data.user_failure_data
        if report is not None and report.description:
            return get_step_name(event.step_key), report.description
    if not failures:
        return None, faults.WORKER_LOST.describe()
    return get_step_name(failures[-1].step_key), faults.UNEXPECTED.describe()


def get_step_name(step_key: str | None) -> str | None:
    """Return the name of a step without that of the graph around it."""
    return step_key.rpartition(".")[2] if step_key else None


def list_paused_deliveries(
    instance: dg.DagsterInstance, *, now: dt.datetime
) -> set[tuple[str, str | None]]:
    """Return job and upload of the deliveries that have just failed permanently."""
    recent = dg.RunsFilter(
        statuses=[_FAILURE],
        tags={partitions.PURPOSE_TAG: partitions.MESSAGES},
        updated_after=now - _PERMANENT_FAILURE_PAUSE,
        # A later end is from a clock that was set back since.
        updated_before=now + _PERMANENT_FAILURE_PAUSE,
    )
    return {
        (run.job_name, partitions.get_upload_id(run))
        for run in instance.get_runs(recent, limit=_MAX_RECENT_RUNS)
        if _is_permanent(instance, run)
    }


def _is_permanent(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether a run has failed because a step reported a permanent error.

    A run that lost its worker has no such report, and one whose last retry failed with
    a transient error has a report that another run may succeed.
    """
    events = _list_step_failures(instance, run)
    reports = (event.step_failure_data.user_failure_data for event in events)
    return any(
        report is not None and TRANSIENT_FAILURE not in report.metadata
        for report in reports
    )


def _list_step_failures(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> list[dg.DagsterEvent]:
    logs = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [entry.dagster_event for entry in logs if entry.dagster_event]


def _is_due(history: _RunHistory, *, now: dt.datetime) -> bool:
    """Return whether the last run has failed, and long enough ago.

    If that was in the future, the clock was set back since, and it is due.
    """
    if history.newest.status != _FAILURE:
        return False
    wait = errors.backoff(
        len(history.failed) - 1, first=_RUN_FIRST_WAIT, longest=_RUN_LONGEST_WAIT
    )
    if history.newest.tags.get(_WILL_RETRY_TAG) == "true":
        wait = max(wait, _DAGSTER_RETRY_GRACE)
    end = _get_end(history.records[0])
    return now - end >= wait or end - now > _CLOCK_TOLERANCE


def _request(history: _RunHistory) -> dg.RunRequest:
    tags = history.newest.tags
    return dg.RunRequest(
        job_name=history.job_name,
        run_key=f"{history.upload_id}:{history.newest.run_id}",
        partition_key=history.upload_id,
        tags={name: tags[name] for name in _KEPT_TAGS if name in tags},
    )


def _find_history(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> _RunHistory | None:
    """Return the history that a run belongs to, or None if it is about no upload."""
    upload_id = partitions.get_upload_id(run)
    histories = list_histories(instance, [upload_id] if upload_id is not None else [])
    name = _get_job_name(run)
    return next((each for each in histories if each.job_name == name), None)


def _make_daily_key(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    record = instance.get_run_record_by_id(run.run_id)
    day = f"{record.create_timestamp:%Y-%m-%d}" if record else run.run_id
    return f"{run.job_name}:{partitions.get_upload_id(run)}:{day}"


def _get_job_name(run: dg.DagsterRun) -> str:
    """Return the job that does what the run was for; people also start assets."""
    return run.job_name if partitions.is_message_run(run) else PROCESS_UPLOAD


def _get_end(record: dg.RunRecord) -> dt.datetime:
    if record.end_time is not None:
        return dt.datetime.fromtimestamp(record.end_time, dt.UTC)
    return record.update_timestamp.replace(tzinfo=dt.UTC)
