"""How things stand: today's uploads, those that have failed, and telling data-ops.

Also what the audit is told of runs: that one was begun in place of an earlier one.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain import events
from cvms_pipeline.ingest import judge
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import audit, listing, outbox, uploads

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What data-ops want to see at one look.

    Attributes:
        day: The calendar day.
        providers: The day's numbers, of each provider that uploaded something.
        reasons: Why uploads of the day were not taken whole, most rows first.
        latest: The day's latest uploads, `MOST_SHOWN` at most, latest first.
        failed: The uploads whose last run has failed, of whatever day.
    """

    day: dt.date
    providers: Sequence[listing.Summary]
    reasons: Sequence[listing.Told]
    latest: Sequence[uploads.Upload]
    failed: Sequence[uploads.Upload]


def today(pipeline: pipelines.Pipeline) -> Standing:
    """Return how things stand on the day that it is in the pipeline's zone."""
    now = pipeline.now()
    midnight = dt.datetime.combine(pipeline.today(now), dt.time(), pipeline.zone)
    with pipeline.store.begin() as conn:
        latest = uploads.recent(conn, limit=MOST_SHOWN)
        return Standing(
            day=midnight.date(),
            providers=listing.summary(conn, since=midnight),
            reasons=listing.reasons(conn, since=midnight),
            latest=[upload for upload in latest if upload.received_at >= midnight],
            failed=uploads.failed(conn),
        )


def failed_uploads(pipeline: pipelines.Pipeline) -> list[str]:
    """Return the ids of the uploads whose last run has failed, oldest first."""
    with pipeline.store.begin() as conn:
        return [upload.id for upload in uploads.failed(conn)]


def unfinished_uploads(pipeline: pipelines.Pipeline) -> list[str]:
    """Return the ids of uploads for which a run was asked and which are not done."""
    with pipeline.store.begin() as conn:
        return uploads.unfinished(conn)


def mark_failed(
    pipeline: pipelines.Pipeline, upload_id: str | None, *, run_id: str, job: str
) -> None:
    """Note that the last run, of an upload or of none, failed; alert data-ops once."""
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        if upload_id is not None:
            uploads.mark_failed(conn, upload_id, now=now)
        outbox.queue_alert(
            conn,
            f"run-failed:{run_id}",
            pipeline.data_ops,
            now=now,
            upload_id=upload_id,
            details={"about": "run-failed", "run": run_id, "job": job},
        )


def mark_stopped(pipeline: pipelines.Pipeline, upload_ids: Iterable[str]) -> None:
    """Note of uploads that are not finished that a person has stopped their run.

    They stand as failed until somebody runs them again; nobody is told by mail.
    """
    for upload_id in upload_ids:
        with pipeline.store.begin() as conn:
            uploads.mark_failed(conn, upload_id, now=pipeline.now(), if_open=True)


def note_rerun(
    pipeline: pipelines.Pipeline, upload_id: str, *, run_id: str, earlier_run: str
) -> None:
    """Let the audit tell, once, that a run is there to mend or repeat an earlier one.

    A run that reads the rows anew is told of by the database itself.
    """
    upload = judge.find(pipeline, upload_id)
    rerun = audit.Note(
        event=events.Event.UPLOAD_RERUN,
        upload_id=upload_id,
        provider=upload.provider,
        run_id=run_id,
        details={"earlier_run": earlier_run},
    )
    with pipeline.store.begin() as conn:
        audit.write(conn, [rerun])
