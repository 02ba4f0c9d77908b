"""How things stand: which uploads have failed, and telling data-ops of one that has."""

from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import outbox, uploads


def failed_uploads(pipeline: pipelines.Pipeline) -> list[str]:
    """Return the ids of the uploads whose last run has failed, oldest first."""
    with pipeline.store.begin() as conn:
        return [upload.id for upload in uploads.failed(conn)]


def mark_failed(
    pipeline: pipelines.Pipeline, upload_id: str, *, run_id: str, job: str
) -> None:
    """Note that an upload's last run has failed, and alert data-ops once."""
    now = pipeline.now()
    with pipeline.store.begin() as conn:
        uploads.mark_failed(conn, upload_id, now=now)
        outbox.queue_alert(
            conn,
            f"run-failed:{run_id}",
            pipeline.data_ops,
            now=now,
            upload_id=upload_id,
            details={"about": "run-failed", "run": run_id, "job": job},
        )
