"""Runs that have failed for no fault of their upload: they are asked for again.

Dagster tries a run again whose worker has died, but forgets it for good if it cannot
do so at that very moment (its code server has died, too), and after a few times; and
a step gives up on a disk that is full for long.  So every run that has failed last is
looked at again and again, whether its upload still needs one.  Its request is keyed by
the failed run, so that it is followed by one run, however often that is asked for.
A run that a person has stopped is not: its upload waits for a person, as failed.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence

import dagster as dg

from cvms_pipeline.defs import decisions, failures, jobs, partitions
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import standing

QUIETLY = 5
"""How often a run may be lost before data-ops are told: kills come in showers."""

_LATEST = 100
_FIRST_WAIT = dt.timedelta(seconds=2)
_LONGEST_WAIT = dt.timedelta(minutes=10)
_DAGSTER_S_WAIT = dt.timedelta(seconds=30)
_IN_VAIN = dt.timedelta(minutes=1)


@dg.sensor(
    jobs=jobs.OF_UPLOADS,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def lost_runs(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run again whose worker has died or whose dependency was away."""
    with failures.told_to_dagster(failures.MOST_RETRIES):
        upload_ids = set(standing.unfinished_uploads(pipeline))
    upload_ids |= _failed_of_late(context.instance)
    now = pipeline.now()
    histories = list(_histories(context.instance, upload_ids))
    with failures.told_to_dagster(failures.MOST_RETRIES):
        standing.mark_stopped(pipeline, stopped(histories))
    failed = [each[0].dagster_run for each in histories if is_due(each, now=now)]
    requests = [
        _again(run) for run in failed if not is_for_good(context.instance, run.run_id)
    ]
    if not requests:
        return dg.SkipReason("No run is lost.")
    return dg.SensorResult(run_requests=requests)


def is_due(history: Sequence[dg.RunRecord], *, now: dt.datetime) -> bool:
    """Return whether the last of an upload's runs has failed, and long enough ago.

    Args:
        history: The runs that had the same purpose, the newest first.
        now: The time.
    """
    if not history or history[0].dagster_run.status != dg.DagsterRunStatus.FAILURE:
        return False
    wait = min(_FIRST_WAIT * 2 ** min(times_failed(history), 20), _LONGEST_WAIT)
    if history[0].dagster_run.tags.get(decisions.WILL_RETRY_TAG) == "true":
        wait = max(wait, _DAGSTER_S_WAIT)
    return bool(now - _ended_at(history[0]) >= wait)


def stopped(histories: Iterable[Sequence[dg.RunRecord]]) -> Iterator[str]:
    """Yield the uploads whose last run a person has stopped, queued or at work."""
    for history in histories:
        run = history[0].dagster_run
        if run.status == dg.DagsterRunStatus.CANCELED and not _carries_messages(run):
            yield decisions.upload_of(run) or ""


def times_failed(history: Sequence[dg.RunRecord]) -> int:
    """Return how many of an upload's runs have failed."""
    failed = dg.DagsterRunStatus.FAILURE
    return sum(each.dagster_run.status == failed for each in history)


def is_for_good(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether a run has failed because of what a step of ours has said."""
    failed = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = (entry.dagster_event for entry in failed if entry.dagster_event)
    said = (event.step_failure_data.user_failure_data for event in events)
    return any(each and failures.TRANSIENT not in each.metadata for each in said)


def to_be_told(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Return the run that data-ops are to be told of as `run` has failed, if any.

    Of runs that are lost one after another, that is the one that is one too many.  Of
    runs that are asked for while messages wait, and fail for good, it is the first of
    a day: they would tell of themselves for ever.  A run about no upload that nobody
    asks for again is told of however it has failed.
    """
    if is_for_good(instance, run.run_id):
        is_known = _carries_messages(run)
        return _first_of_its_day(instance, run) if is_known else run.run_id
    if decisions.upload_of(run) is None and not _carries_messages(run):
        return run.run_id
    failed = [
        record.dagster_run.run_id
        for history in _histories(instance, [decisions.upload_of(run) or ""])
        for record in history
        if record.dagster_run.status == dg.DagsterRunStatus.FAILURE
        and _job_of(record.dagster_run) == _job_of(run)
    ]
    return failed[-1 - QUIETLY] if len(failed) > QUIETLY else None


def failed_just_now(
    instance: dg.DagsterInstance, *, now: dt.datetime
) -> set[tuple[str, str | None]]:
    """Return job and upload of the deliveries that another run would not help yet."""
    tags = {partitions.PURPOSE_TAG: partitions.MESSAGES}
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags=tags),
        limit=_LATEST,
    )
    latest = [each for each in records if now - _ended_at(each) < _IN_VAIN]
    return {
        (each.dagster_run.job_name, decisions.upload_of(each.dagster_run))
        for each in latest
        if is_for_good(instance, each.dagster_run.run_id)
    }


def _first_of_its_day(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """Return the first of the runs like `run` of that day that failed for good."""
    record = instance.get_run_record_by_id(run.run_id)
    if record is None:
        return run.run_id
    is_of_upload = decisions.upload_of(run) is not None
    alike = instance.get_runs(
        dg.RunsFilter(
            job_name=run.job_name,
            statuses=[dg.DagsterRunStatus.FAILURE],
            tags=decisions.partition_of(run) if is_of_upload else {},
            created_after=record.create_timestamp.replace(hour=0, minute=0, second=0),
        ),
        ascending=True,
        limit=_LATEST,
    )
    ids = (each.run_id for each in alike if is_for_good(instance, each.run_id))
    return next(ids, run.run_id)


def _failed_of_late(instance: dg.DagsterInstance) -> set[str]:
    """Return the uploads of the runs that have failed last."""
    failed = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=_LATEST
    )
    return {decisions.upload_of(run) or "" for run in failed} - {""}


def _histories(
    instance: dg.DagsterInstance, upload_ids: Collection[str]
) -> Iterator[list[dg.RunRecord]]:
    """Yield the runs of each of these uploads and each purpose, the newest first."""
    if not upload_ids:
        return
    records = instance.get_run_records(
        dg.RunsFilter(tags={partitions.PARTITION_TAG: sorted(upload_ids)})
    )
    found: dict[tuple[str | None, str], list[dg.RunRecord]] = {}
    for record in records:
        run = record.dagster_run
        found.setdefault((decisions.upload_of(run), _job_of(run)), []).append(record)
    yield from found.values()


def _job_of(run: dg.DagsterRun) -> str:
    """Return the job that does what the run was for; people also start assets."""
    return run.job_name if _carries_messages(run) else jobs.process_upload.name


def _carries_messages(run: dg.DagsterRun) -> bool:
    return partitions.PURPOSE_TAG in run.tags


def _again(failed: dg.DagsterRun) -> dg.RunRequest:
    kept = (partitions.PROVIDER_TAG, partitions.LANE_TAG, partitions.PRIORITY_TAG)
    upload_id = decisions.upload_of(failed)
    return dg.RunRequest(
        job_name=_job_of(failed),
        run_key=f"{upload_id}:{failed.run_id}",
        partition_key=upload_id,
        tags={name: failed.tags[name] for name in kept if name in failed.tags},
    )


def _ended_at(record: dg.RunRecord) -> dt.datetime:
    if record.end_time is not None:
        return dt.datetime.fromtimestamp(record.end_time, dt.UTC)
    return record.update_timestamp.replace(tzinfo=dt.UTC)
