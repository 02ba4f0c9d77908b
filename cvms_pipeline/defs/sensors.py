"""What starts runs: files that arrive, messages that wait, runs that fail.

A sensor reads; what it requests is decided by the functions below the sensors, and in
`recovery` after a failure.  Two sensors wait inside their tick, because the next tick
is seconds away.
"""

import collections
import contextlib
import datetime as dt
import logging
from collections.abc import Collection, Iterable, Sequence

import dagster as dg

from cvms_pipeline.defs import (
    assets,
    failures,
    funnel,
    jobs,
    metadata,
    overview,
    partitions,
    recovery,
)
from cvms_pipeline.use_cases import (
    advise,
    deliver,
    history,
    pipelines,
    process,
    receive,
)

_WAIT_SECONDS = 30.0
_MESSAGES_PAUSE_SECONDS = 1.0
_RUNNING = dg.DefaultSensorStatus.RUNNING

_MAX_DELIVERY_RUNS = 4
"""How many runs of one job that sends messages may be unfinished.

More would only wait: the queue starts one at a time, and runs that are created later
would wait behind them.
"""

_Delivery = tuple[str, str | None]
"""A job that sends messages, and the upload that they are about, if any."""

_JOB_NAMES = {
    deliver.Kind.NOTICE: jobs.send_notice.name,
    deliver.Kind.INVITATION: jobs.send_invitations.name,
    **dict.fromkeys(deliver.OF_NO_UPLOAD, jobs.send_alerts.name),
}


@dg.sensor(job=jobs.process_upload, minimum_interval_seconds=1, default_status=_RUNNING)
def incoming_uploads(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Take settled files into the archive and request a run for each upload.

    Waits in its tick for the folder to change, and never longer than half a minute.
    The cursor is the time until which Dagster has received the requests: a tick that
    dies does not move it, so the next tick requests the same again.
    """
    advise.watch_once(pipeline)
    with failures.sensor_errors():
        awaiting = receive.wait_for_uploads(
            pipeline, seconds=_WAIT_SECONDS, acknowledged_at=_parse_time(context.cursor)
        )
    if not awaiting:
        return dg.SkipReason("No file has settled.")
    return request_runs(awaiting, context.log, cursor=pipeline.now().isoformat())


@dg.sensor(
    jobs=[jobs.send_invitations, jobs.send_notice, jobs.send_alerts],
    minimum_interval_seconds=1,
    default_status=_RUNNING,
)
def waiting_messages(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Request the delivery of messages that are due and that no run is sending."""
    with failures.sensor_errors():
        due = deliver.wait_for_due(
            pipeline, seconds=_WAIT_SECONDS, pause_seconds=_MESSAGES_PAUSE_SECONDS
        )
    if not due:
        return dg.SkipReason("No message is due.")
    unfinished = context.instance.get_runs(
        dg.RunsFilter(statuses=partitions.UNFINISHED_STATUSES)
    )
    requests = request_deliveries(
        due,
        unfinished={
            (run.job_name, partitions.get_upload_id(run)) for run in unfinished
        },
        paused=recovery.list_paused_deliveries(context.instance, now=pipeline.now()),
    )
    return _with_partitions(requests)


@dg.sensor(minimum_interval_seconds=5, default_status=_RUNNING)
def failed_runs(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult:
    """Mark uploads `failed` and alert data-ops, where no other run will follow.

    The cursor is the time up to which failures are recorded.  A tick that cannot
    record one for the moment does not move it, so the next tick tries again; Dagster's
    own run failure sensors would pass over that failure.  What no later tick could
    record either, such as a partition that a person has added, is passed over.  The
    runs of every job are read, because people also start runs from an asset.
    """
    failed, cursor = recovery.list_failures(
        context.instance, since=_parse_time(context.cursor), now=pipeline.now()
    )
    with failures.sensor_errors():
        for run in failed:
            with failures.passed_over(context.log, f"The failed run {run.run_id}"):
                _record_failure(context.instance, pipeline, run)
    return dg.SensorResult(cursor=cursor.isoformat())


@dg.sensor(jobs=jobs.UPLOAD_JOBS, minimum_interval_seconds=5, default_status=_RUNNING)
def lost_runs(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Request a run again that lost its worker or failed with a transient error.

    Marks the uploads `failed` of which a person has canceled the run, and has providers
    told of uploads that take long.
    """
    with failures.sensor_errors():
        with failures.passed_over(context.log, "What providers are told of delays"):
            advise.tell_delays(pipeline)
        upload_ids = set(process.list_unfinished(pipeline))
    upload_ids |= recovery.list_recently_failed(context.instance)
    histories = recovery.list_histories(context.instance, upload_ids)
    requests: list[dg.RunRequest] = []
    with failures.sensor_errors():
        for each in histories:
            with failures.passed_over(context.log, f"The upload {each.upload_id}"):
                process.mark_stopped(pipeline, recovery.list_canceled([each]))
                requests += recovery.request_lost_runs(
                    context.instance, [each], now=pipeline.now()
                )
    if not requests:
        return dg.SkipReason("No run is lost.")
    return _with_partitions(requests)


@dg.sensor(name="overview", minimum_interval_seconds=10, default_status=_RUNNING)
def update_overview(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Report `todays_uploads` when the tables have changed, and every hour."""
    with failures.sensor_errors():
        state = history.read_overview(pipeline)
    cursor = overview.compute_fingerprint(state)
    shown, _, reported = (context.cursor or "").partition(" ")
    if shown == cursor:
        return dg.SkipReason("Nothing has changed.")
    withdrawals = overview.make_withdrawals(state, reported=reported)
    if state.withdrawn:
        cursor += f" {state.withdrawn[-1].id}"
    return dg.SensorResult(
        dynamic_partitions_requests=[
            partitions.DAYS.build_add_request([state.day.isoformat()])
        ],
        asset_events=[*overview.make_asset_events(state, context.log), *withdrawals],
        cursor=cursor,
    )


ALL = [
    *(incoming_uploads, waiting_messages, failed_runs, lost_runs),
    *(update_overview, funnel.update_funnel),
]


def request_runs(
    awaiting: Sequence[history.Upload],
    log: logging.Logger,
    *,
    cursor: str | None = None,
) -> dg.SensorResult:
    """Return the partitions, runs and materializations of uploads without a run."""
    events: list[dg.AssetMaterialization] = []
    requests: list[dg.RunRequest] = []
    for upload in awaiting:
        with failures.passed_over(log, f"The upload {upload.id}"):
            event = dg.AssetMaterialization(
                asset_key=assets.upload.key,
                partition=upload.id,
                metadata=metadata.describe_upload(upload),
            )
            request = dg.RunRequest(
                run_key=upload.id,
                partition_key=upload.id,
                tags=partitions.make_run_tags(upload.provider, upload.lane),
            )
            events.append(event)
            requests.append(request)
    return _with_partitions(requests, asset_events=events, cursor=cursor)


def request_deliveries(
    due: Iterable[deliver.Due],
    *,
    unfinished: Collection[_Delivery],
    paused: Collection[_Delivery] = (),
) -> list[dg.RunRequest]:
    """Return a request for each upload with due messages that no run is sending.

    Args:
        due: Which upload has messages of which kind to send now; those that are
            first are requested first.
        unfinished: The runs that wait or are worked on.
        paused: Those that have just failed, so that another run would fail, too.
    """
    room = collections.Counter(dict.fromkeys(_JOB_NAMES.values(), _MAX_DELIVERY_RUNS))
    room.subtract(job for job, _ in unfinished)
    requests = []
    for job, upload_id in dict.fromkeys((_JOB_NAMES[d.kind], d.upload_id) for d in due):
        is_sent_otherwise = (job, upload_id) in {*unfinished, *paused} or (
            # The job that processes an upload sends its notice itself.
            job == jobs.send_notice.name
            and (jobs.process_upload.name, upload_id) in unfinished
        )
        if room[job] > 0 and not is_sent_otherwise:
            room[job] -= 1
            requests.append(dg.RunRequest(job_name=job, partition_key=upload_id))
    return requests


def _with_partitions(
    requests: Sequence[dg.RunRequest],
    *,
    asset_events: Sequence[dg.AssetMaterialization] = (),
    cursor: str | None = None,
) -> dg.SensorResult:
    """Return requests together with the partitions that they need.

    Dagster has no partition of an upload that retention or a person has removed, and
    refuses all requests of a tick if it does not know the partition of one of them.
    Partitions that exist already are left as they are.
    """
    ids = sorted({each.partition_key for each in requests if each.partition_key})
    return dg.SensorResult(
        dynamic_partitions_requests=[partitions.UPLOADS.build_add_request(ids)],
        asset_events=asset_events,
        run_requests=requests,
        cursor=cursor,
    )


def _record_failure(
    instance: dg.DagsterInstance, pipeline: pipelines.Pipeline, run: dg.DagsterRun
) -> None:
    upload_id = partitions.get_upload_id(run)
    if upload_id is not None:  # the steps of the run may never have reached the store
        process.record_rerun(
            pipeline, upload_id, run_id=run.run_id, earlier_run=run.parent_run_id
        )
    alert_key = recovery.find_alert_key(instance, run)
    if alert_key is not None:
        step, why = recovery.describe_failure(instance, run)
        process.mark_failed(
            pipeline,
            upload_id,
            run_id=run.run_id,
            job=run.job_name,
            alert_key=alert_key,
            step=step,
            why=why,
        )


def _parse_time(cursor: str | None) -> dt.datetime:
    """Return the time in a cursor, or an early one if a person has overwritten it."""
    with contextlib.suppress(ValueError):
        return dt.datetime.fromisoformat(cursor or "").astimezone(dt.UTC)
    return dt.datetime.fromtimestamp(0, dt.UTC)
