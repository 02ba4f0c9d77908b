"""Processing an upload: read its rows, validate them, find duplicates, load them.

Until `load`, nothing is stored and nothing is sent, so a step can be repeated at any
time.  This module also records that the run of these steps has failed, was stopped or
repeats an earlier one.  `check` has the same steps for a file that is not uploaded.
"""

import contextlib
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader, refusals
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import audit_events, faults, reasons
from cvms_pipeline.domain.vocabulary import upload as domain_upload
from cvms_pipeline.store import audit, loading, outbox, recipients, uploads
from cvms_pipeline.store.removals import returning
from cvms_pipeline.use_cases import pipelines

_NO_DELAY = dt.timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadResult:
    """The rows of an upload, or the refusal of its file.

    `is_file_removed` says whether retention has removed the file, so that the sheet is
    empty and the recorded outcome remains.
    """

    sheet: sheet.Sheet
    is_file_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An upload's outcome, and the number of lines that the tables account for.

    Those are the rows that loaded or corrected a recipient, and the rejected rows.  Of
    a withdrawn upload, nothing is loaded again.
    """

    outcome: outcome.Outcome
    accounted_for: int
    is_withdrawn: bool = False


def read_rows(pipeline: pipelines.Pipeline, upload_id: str, run_id: str) -> _ReadResult:
    """Record that the run `run_id` has begun, and return the upload's rows.

    Raises:
        UploadUnknown: If there is no such upload.
        ArchiveMissing, ArchiveDamaged: If its bytes are not those that were received.
    """
    with pipeline.store.begin() as conn:
        upload = uploads.start(conn, upload_id, now=pipeline.now(), run_id=run_id)
    return _ReadResult(
        sheet=_read(pipeline, upload),
        is_file_removed=_is_file_removed(pipeline, upload),
    )


def validate_rows(
    pipeline: pipelines.Pipeline, upload_id: str, read: sheet.Sheet
) -> sheet.Sheet:
    """Return the sheet with the reasons for which each row is rejected."""
    # The day of receipt, so that a run on another day has the same outcome.
    today = pipeline.today(_get(pipeline, upload_id).received_at)
    return row_schema.validate_rows(read, today=today)


def find_duplicates(
    pipeline: pipelines.Pipeline, upload_id: str, validated: sheet.Sheet
) -> sheet.Sheet:
    """Return the sheet with its plan: which rows are new, corrections or duplicates."""
    keys = duplicates.make_keys(validated.valid_values)
    with pipeline.store.begin() as conn:
        upload = uploads.get(conn, upload_id)
        matches, taken, similar = recipients.look_up(conn, keys)
        matches = returning.add_returning(
            conn, matches, validated, keys, provider=upload.provider
        )
    return duplicates.plan_rows(
        validated,
        matches,
        provider=upload.provider,
        upload=upload.id,
        keys=keys,
        taken=taken,
        similar=similar,
    )


def load(pipeline: pipelines.Pipeline, upload_id: str, planned: sheet.Sheet) -> Loaded:
    """Load the planned rows, store the rejected ones, queue the messages.

    An upload is decided only once: if it was decided before, the recorded outcome is
    returned and nothing is loaded.
    """
    with pipeline.store.begin() as conn:
        upload = uploads.lock(conn, upload_id)
        is_paused = upload.sent_from is domain_upload.Way.PORTAL
        decided = loading.load(
            conn,
            upload,
            planned,
            now=pipeline.now(),
            data_ops=pipeline.data_ops,
            invitation_delay=pipeline.invitation_delay if is_paused else _NO_DELAY,
        )
        accounted_for = loading.count_accounted_lines(conn, upload)
    return Loaded(
        outcome=decided,
        accounted_for=accounted_for,
        is_withdrawn=upload.withdrawn_at is not None,
    )


def repeat(pipeline: pipelines.Pipeline, upload_id: str, step: str) -> sheet.Sheet:
    """Return the sheet of `step` (the name of its op), made again from the archive."""
    made = _read(pipeline, _get(pipeline, upload_id))
    if step != "read_rows":
        made = validate_rows(pipeline, upload_id, made)
    return (
        find_duplicates(pipeline, upload_id, made)
        if step == "find_duplicates"
        else made
    )


def list_failed(pipeline: pipelines.Pipeline) -> list[str]:
    """Return the ids of uploads with a last run that has failed, oldest first."""
    with pipeline.store.begin() as conn:
        return [upload.id for upload in uploads.list_failed(conn)]


def list_unfinished(pipeline: pipelines.Pipeline) -> list[str]:
    """Return the ids of unfinished uploads for which a run was requested."""
    with pipeline.store.begin() as conn:
        return uploads.list_unfinished(conn)


def mark_failed(
    pipeline: pipelines.Pipeline,
    upload_id: str | None,
    *,
    run_id: str,
    job: str,
    alert_key: str | None = None,
    step: str | None = None,
    why: str | None = None,
) -> None:
    """Record that a run of `job` has failed and alert data-ops.

    Args:
        pipeline: The pipeline.
        upload_id: The upload that the run was about, or None.
        run_id: The run.
        job: Its job.
        alert_key: There is one alert for each key; default: for each run.
        step: The step that has failed, if known.
        why: What has failed and what to do, without personal data.
    """
    now = pipeline.now()
    details = {"about": "run-failed", "run": run_id, "job": job}
    details |= {k: v for k, v in (("step", step), ("why", why)) if v is not None}
    if upload_id is not None:  # committed even if no alert can be queued
        failure = {"failed_run": run_id, "failed_step": step, "failure": why}
        with pipeline.store.begin() as conn:
            uploads.mark_failed(conn, upload_id, now=now, failure=failure)
            details["provider"] = uploads.get(conn, upload_id).folder
    with pipeline.store.begin() as conn:
        outbox.queue_alert(
            conn,
            f"run-failed:{alert_key or run_id}",
            pipeline.data_ops,
            now=now,
            upload_id=upload_id,
            details=details,
        )


def note_retry(
    pipeline: pipelines.Pipeline, upload_id: str, *, step: str, error: Exception
) -> None:
    """Record with the upload why a step of its run is about to be tried again.

    Nothing is recorded while the database is the cause, or if it refuses that.
    """
    if isinstance(error, engine.StoreAway):
        return
    with (
        contextlib.suppress(errors.CvmsError),
        pipeline.store.begin() as conn,
    ):
        uploads.note_retry(conn, upload_id, step=step, why=str(error))


def mark_stopped(pipeline: pipelines.Pipeline, upload_ids: Iterable[str]) -> None:
    """Record for unfinished uploads that a person has stopped their run.

    Their status is `failed` until somebody repeats the run; data-ops are not alerted.
    """
    for upload_id in upload_ids:
        with pipeline.store.begin() as conn:
            uploads.mark_failed(
                conn,
                upload_id,
                now=pipeline.now(),
                if_open=True,
                failure={"failure": faults.STOPPED.describe()},
            )


def record_rerun(
    pipeline: pipelines.Pipeline,
    upload_id: str,
    *,
    run_id: str,
    earlier_run: str | None,
) -> None:
    """Record in the audit, once, that a run repeats or continues `earlier_run`, if any.

    That a run reads the rows again is recorded by the database itself.
    """
    if earlier_run is None:
        return
    with pipeline.store.begin() as conn:
        rerun = audit.Note(
            event=audit_events.Event.UPLOAD_RERUN,
            upload_id=upload_id,
            provider=uploads.get(conn, upload_id).provider,
            run_id=run_id,
            details={"earlier_run": earlier_run},
        )
        audit.write(conn, [rerun])


def _get(pipeline: pipelines.Pipeline, upload_id: str) -> uploads.Upload:
    with pipeline.store.begin() as conn:
        return uploads.get(conn, upload_id)


def _is_file_removed(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> bool:
    """Return whether the upload was decided and its file has since been removed."""
    return (
        upload.decided_at is not None
        and upload.claim_refusal is None
        and not pipeline.archive.has(upload.id)
    )


def _read(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> sheet.Sheet:
    if upload.claim_refusal == reasons.FILE_TOO_LARGE:
        return sheet.make_empty(refusals.refuse_size(pipeline.max_bytes))
    if upload.claim_refusal is not None:
        return sheet.make_empty(reasons.make_refusal(upload.claim_refusal))
    if _is_file_removed(pipeline, upload):
        return sheet.make_empty()
    data = pipeline.archive.read(upload.id, sha256=upload.sha256)
    return reader.read_sheet(data, lane=upload.lane, max_bytes=pipeline.max_bytes)
