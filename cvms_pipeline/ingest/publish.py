"""Publishing: the error report and the receipt of an upload, made from the tables.

Made anew each time, so that running it again gives the same bytes.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain import reasons, report
from cvms_pipeline.files import providers, reports
from cvms_pipeline.ingest import judge
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.notify import messages
from cvms_pipeline.store import rejected, uploads


class NotDecided(errors.PermanentError):
    """The upload has no outcome yet; run the job process_upload for it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was written for an upload.

    Attributes:
        rows: How many rejected rows the error report holds.
        path: Where we keep the error report; None when no row was rejected.
        is_beside_drop: Whether the provider's results folder took a copy.
        purged_at: When the rejected rows were purged; what was published stays then.
    """

    rows: int
    path: Path | None
    is_beside_drop: bool
    purged_at: dt.datetime | None = None


def publish(pipeline: pipelines.Pipeline, upload_id: str) -> Published:
    """Write the error report, if rows were rejected, and the provider's receipt.

    A provider who has put something else where its results folder should be gets
    the report with the notice only; that is no fault of ours.  Once the rejected rows
    have been purged, nothing is written any more, and nothing taken away.

    Raises:
        NotDecided: If there is no outcome to be told.
    """
    upload = judge.find(pipeline, upload_id)
    if upload.decided_at is None:
        raise NotDecided
    published = _write(pipeline, upload)
    with pipeline.store.begin() as conn:
        uploads.mark_recovered(conn, upload_id, now=pipeline.now())
    return published


def _write(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> Published:
    rows, purged_at = upload.rejected, upload.purged_at
    if purged_at is not None:
        return Published(
            rows=rows, path=None, is_beside_drop=False, purged_at=purged_at
        )
    data = error_report(pipeline, upload.id)
    if data is not None:
        pipeline.reports.write(upload.id, data)
    is_beside_drop = upload.provider is not None and _put_beside_drop(
        pipeline, upload, data
    )
    return Published(
        rows=rows,
        path=pipeline.reports.path(upload.id) if data is not None else None,
        is_beside_drop=is_beside_drop,
    )


def error_report(pipeline: pipelines.Pipeline, upload_id: str) -> bytes | None:
    """Return the bytes of `BulkError.csv`; None when no row was rejected."""
    with pipeline.store.begin() as conn:
        rows = rejected.of_upload(conn, upload_id)
    return report.bulk_error(rows, rows["message"]) if len(rows) else None


def result(upload: uploads.Upload) -> messages.Result:
    """Return what the provider is told of a decided upload."""
    ended = uploads.recorded_outcome(upload)
    return messages.Result(
        upload_id=upload.id,
        file_name=upload.file_name,
        outcome=ended,
        sentences=[
            reasons.in_words(code, ended.reasons[code])
            for code in reasons.REASONS
            if code in ended.reasons
        ],
        ignored_columns=upload.ignored_columns,
    )


def _put_beside_drop(
    pipeline: pipelines.Pipeline, upload: uploads.Upload, data: bytes | None
) -> bool:
    try:
        reports.publish(
            pipeline.folders,
            slug=upload.provider or "",
            upload_id=upload.id,
            file_name=upload.file_name,
            report=data,
            receipt=messages.receipt(result(upload)),
        )
    except (reports.ResultsForbidden, providers.ProviderFolderMissing):
        return False
    return True
