"""What a sensor should ask of Dagster, from what it has read: plain functions.

No reading and no waiting here; `sensors` does that.
"""

import collections
import contextlib
import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Sequence

import dagster as dg

from cvms_pipeline.defs import (
    assets,
    checks,
    jobs,
    metadata,
    overview,
    partitions,
)
from cvms_pipeline.ingest import deliver, standing
from cvms_pipeline.store import uploads

MOST_DELIVERIES = 4
"""How many of the runs that one job delivers messages with wait or are at work.

More would only wait: one goes on at a time (`coordinator`), and who comes later would
wait behind them.
"""

WILL_RETRY_TAG = "dagster/will_retry"


def runs_for(
    awaiting: Sequence[uploads.Upload], *, cursor: str | None = None
) -> dg.SensorResult:
    """Return the partitions, runs and materializations of uploads without a run."""
    ids = [upload.id for upload in awaiting]
    return dg.SensorResult(
        dynamic_partitions_requests=[partitions.UPLOADS.build_add_request(ids)],
        asset_events=[_received(upload) for upload in awaiting],
        run_requests=[
            dg.RunRequest(
                run_key=upload.id,
                partition_key=upload.id,
                tags=partitions.tags_of(upload.provider, upload.lane),
            )
            for upload in awaiting
        ],
        cursor=cursor,
    )


def heard_at(cursor: str | None) -> dt.datetime:
    """Return until when Dagster has heard of the runs that were asked for.

    Without a cursor, or with one that somebody has written by hand: of none.
    """
    with contextlib.suppress(ValueError):
        return dt.datetime.fromisoformat(cursor or "").astimezone(dt.UTC)
    return dt.datetime.fromtimestamp(0, dt.UTC)


def deliveries_for(
    due: Iterable[deliver.Due],
    *,
    under_way: Collection[tuple[str, str | None]],
    in_vain: Collection[tuple[str, str | None]] = (),
) -> list[dg.RunRequest]:
    """Return a request for each upload with due messages that nobody is sending.

    No more than keep `MOST_DELIVERIES` of a job in the queue and at work.

    Args:
        due: Which upload has messages of which kind to send now, in turns.
        under_way: Job names and upload ids of the runs that have not ended.
        in_vain: Of those that have ended in a way that makes another useless for now.
    """
    wanted = dict.fromkeys((_JOBS[each.kind], each.upload_id) for each in due)
    unwanted = {*under_way, *in_vain}
    room = collections.Counter(dict.fromkeys(_JOBS.values(), MOST_DELIVERIES))
    room.subtract(job for job, _ in under_way)
    requests = []
    for job, upload_id in wanted:
        if room[job] > 0 and not _is_under_way(job, upload_id, unwanted):
            room[job] -= 1
            requests.append(dg.RunRequest(job_name=job, partition_key=upload_id))
    return requests


def is_final(run: dg.DagsterRun, *, newest: dg.DagsterRun | None) -> bool:
    """Return whether it is this failed run that says how its upload stands.

    Not when Dagster tries the run again, nor when a later run has decided.  A run
    about no upload stands for itself.
    """
    is_last = newest is None or newest.run_id == run.run_id
    return is_last and run.tags.get(WILL_RETRY_TAG) != "true"


def newest_alike(
    run: dg.DagsterRun, latest: Sequence[dg.DagsterRun]
) -> dg.DagsterRun | None:
    """Return the newest of the upload's runs that has the same purpose as `run`.

    Args:
        run: A run, of whatever job: people also start runs from an asset.
        latest: The upload's latest runs, the newest first.
    """
    purpose = run.tags.get(partitions.PURPOSE_TAG)
    alike = (r for r in latest if r.tags.get(partitions.PURPOSE_TAG) == purpose)
    return next(alike, None)


def upload_of(run: dg.DagsterRun) -> str | None:
    """Return the id of the upload that `run` is about."""
    return run.tags.get(partitions.PARTITION_TAG)


def partition_of(run: dg.DagsterRun) -> dict[str, str]:
    """Return the tags by which the other runs of its upload are found, if any."""
    return {partitions.PARTITION_TAG: upload_of(run) or ""}


def how_it_stands(
    stands: standing.Standing, *, ui_url: str
) -> list[dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation]:
    """Return what brings `todays_uploads` and the standing check up to date."""
    failed = [upload.id for upload in stands.failed]
    return [
        dg.AssetMaterialization(
            asset_key=assets.TODAY_KEY,
            metadata=overview.of_day(stands, ui_url=ui_url),
        ),
        dg.AssetCheckEvaluation(
            asset_key=assets.UPLOAD_KEY,
            check_name=checks.NONE_FAILED,
            passed=not failed,
            metadata=checks.which_failed(failed),
        ),
    ]


def fingerprint(stands: standing.Standing) -> str:
    """Return a short text that is the same while nothing has changed."""
    shown = [(each.id, each.status) for each in (*stands.latest, *stands.failed)]
    facts = repr((stands.day, list(stands.providers), shown))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


_JOBS = {
    deliver.Kind.NOTICE: jobs.send_notice.name,
    deliver.Kind.ALERT: jobs.send_alerts.name,
    deliver.Kind.INVITATION: jobs.send_invitations.name,
}


def _is_under_way(
    job: str, upload_id: str | None, under_way: set[tuple[str, str | None]]
) -> bool:
    sends_notice = job == jobs.send_notice.name
    return (job, upload_id) in under_way or (
        sends_notice and (jobs.process_upload.name, upload_id) in under_way
    )


def _received(upload: uploads.Upload) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=assets.UPLOAD_KEY,
        partition=upload.id,
        metadata=metadata.of_upload(upload),
    )
