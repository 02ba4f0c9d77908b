"""What starts runs: files that arrive, messages that wait, runs that fail.

A sensor reads and asks Dagster; what to do about it, `decisions` says.  Two of
them wait inside their tick, because a tick is otherwise seconds away.
"""

import dagster as dg

from cvms_pipeline.defs import (
    coordinator,
    decisions,
    failures,
    jobs,
    lost,
    resources,
)
from cvms_pipeline.ingest import deliver, receive, standing
from cvms_pipeline.ingest import pipeline as pipelines

WAIT_SECONDS = 30.0
_MESSAGES_PAUSE_SECONDS = 1.0
_LATEST_RUNS = 25


@dg.sensor(
    job=jobs.process_upload,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def incoming_uploads(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Take settled files into the archive and request a run for each upload.

    Waits in its tick for the folder to change, and never longer than half a minute.
    Its cursor says until when Dagster has heard what was asked for: a tick that dies
    leaves the cursor behind, and the next one asks again.
    """
    with failures.told_to_dagster(failures.MOST_RETRIES):
        awaiting = receive.wait_for_uploads(
            pipeline,
            seconds=WAIT_SECONDS,
            heard_at=decisions.heard_at(context.cursor),
        )
    if not awaiting:
        return dg.SkipReason("No file has settled.")
    return decisions.runs_for(awaiting, cursor=pipeline.now().isoformat())


@dg.sensor(
    jobs=[jobs.send_invitations, jobs.send_notice, jobs.send_alerts],
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def waiting_messages(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Request the delivery of messages that are due, unless it is under way."""
    with failures.told_to_dagster(failures.MOST_RETRIES):
        due = deliver.wait_for_due(
            pipeline, seconds=WAIT_SECONDS, pause_seconds=_MESSAGES_PAUSE_SECONDS
        )
    if not due:
        return dg.SkipReason("No message is due.")
    requests = decisions.deliveries_for(
        due,
        under_way=_under_way(context.instance),
        in_vain=lost.failed_just_now(context.instance, now=pipeline.now()),
    )
    return dg.SensorResult(run_requests=requests)


@dg.run_failure_sensor(  # of every job, for people also start runs from an asset
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(
    context: dg.RunFailureSensorContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SkipReason | None:
    """Mark the upload `failed` and alert data-ops, when no retry is to come."""
    run = context.dagster_run
    resources.note_rerun(pipeline, run)  # which its own process may not have reached
    latest = context.instance.get_runs(
        dg.RunsFilter(tags=decisions.partition_of(run)), limit=_LATEST_RUNS
    )
    if not decisions.is_final(run, newest=decisions.newest_alike(run, latest)):
        return dg.SkipReason("The run is tried again, or a later one has decided.")
    told = lost.to_be_told(context.instance, run)
    if told is None:
        return dg.SkipReason("The run is lost, and another will be asked for.")
    upload_id = decisions.upload_of(run)
    with failures.told_to_dagster(failures.MOST_RETRIES):
        standing.mark_failed(pipeline, upload_id, run_id=told, job=run.job_name)
    return None


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def overview(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Keep `todays_uploads` and the check `no_upload_failed` true to the tables."""
    with failures.told_to_dagster(failures.MOST_RETRIES):
        stands = standing.today(pipeline)
    seen = decisions.fingerprint(stands)
    if context.cursor == seen:
        return dg.SkipReason("Nothing has changed.")
    events = decisions.how_it_stands(stands, ui_url=pipeline.ui_url)
    return dg.SensorResult(asset_events=events, cursor=seen)


def _under_way(instance: dg.DagsterInstance) -> set[tuple[str, str | None]]:
    runs = instance.get_runs(dg.RunsFilter(statuses=coordinator.UNFINISHED))
    return {(run.job_name, decisions.upload_of(run)) for run in runs}


ALL = [incoming_uploads, waiting_messages, failed_runs, lost.lost_runs, overview]
