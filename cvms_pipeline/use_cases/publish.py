"""Publishing: the error report and the receipt of an upload, made from the tables.

They are made again each time, so that a repeated run writes the same bytes.
"""

import contextlib
import csv
import datetime as dt
import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import errors
from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.files import archive, provider_folders, reports
from cvms_pipeline.mail import follow_up, notices
from cvms_pipeline.store import (
    listing,
    providers,
    recipients,
    rejected_rows,
    uploads,
)
from cvms_pipeline.store.chain import outstanding
from cvms_pipeline.use_cases import advise, pipelines


class _NotDecided(errors.PermanentError):
    """The upload has no outcome yet; run the job process_upload for it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The files that were written for an upload.

    Attributes:
        rows: The number of rejected rows in the error report.
        path: The error report in the reports folder; None if no row was rejected.
        is_in_results: Whether the provider's results folder has a copy.
        purged_at: When the rejected rows were purged; after that nothing is written.
    """

    rows: int
    path: Path | None = None
    is_in_results: bool = False
    purged_at: dt.datetime | None = None


def publish(pipeline: pipelines.Pipeline, upload_id: str) -> Published:
    """Write the error report, if rows were rejected, and the provider's receipt.

    A provider who has put something else in the place of its results folder gets the
    report with the notice only; that does not fail the upload.  After the rejected rows
    or the received file were removed, nothing is written any more, and nothing removed.
    The receipts of uploads whose rejected rows it brings back are brought up to date.

    Raises:
        _NotDecided: If the upload has no outcome yet.
    """
    with pipeline.store.begin() as conn:
        upload = uploads.get(conn, upload_id)
    if upload.decided_at is None:
        raise _NotDecided
    published = _write(pipeline, upload)
    update_receipts(pipeline, upload.parents)
    with pipeline.store.begin() as conn:
        uploads.mark_recovered(conn, upload_id, now=pipeline.now())
    return published


def update_receipts(pipeline: pipelines.Pipeline, upload_ids: Iterable[str]) -> None:
    """Write the receipts of uploads again, in which other rows are outstanding now.

    Only in the place of a receipt of ours that says something else of these rows: what
    a provider has removed, renamed or changed stays as it is.
    """
    for upload_id in upload_ids:
        with pipeline.store.begin() as conn:
            upload = uploads.get(conn, upload_id)
        if upload.provider is not None and _is_kept(pipeline, upload):
            reports.rewrite_receipt(
                pipeline.folders,
                slug=upload.provider,
                upload_id=upload.id,
                file_name=upload.file_name,
                rewrite=functools.partial(_rewrite_receipt, pipeline, upload.id),
            )


def read_published(
    pipeline: pipelines.Pipeline, upload: uploads.Upload
) -> tuple[notices.Result, bytes | None]:
    """Return the result of a decided upload and its error report, if it has one.

    If the file that `publish` wrote is missing, or does not have the rows that were
    rejected, the report is rendered again from the tables.
    """
    result = _make_result(pipeline, upload)
    if not _has_report(upload):
        return result, None
    with contextlib.suppress(archive.ReportMissing):
        data = pipeline.reports.read(upload.id)
        if _is_whole(data, upload.rejected):
            return result, data
    return result, _render(pipeline, upload)


def _make_result(
    pipeline: pipelines.Pipeline, upload: uploads.Upload
) -> notices.Result:
    """Return the facts for the notice and the receipt of a decided upload."""
    counts, encoding, read_name = upload.outcome, upload.encoding, None
    corrections: Sequence[listing.Correction] = ()
    with pipeline.store.begin() as conn:
        provider = providers.find(conn, upload.provider or "")
        earlier = listing.find_earlier_upload(conn, upload)
        relatives = outstanding.list_relatives(conn, upload)
        if counts.updated:
            corrections = listing.list_corrections(conn, upload.id)
        if encoding is not None and not encoding.startswith("utf-8"):
            read_name = recipients.find_read_name(conn, upload.id)
    same = _describe_earlier(pipeline, earlier) if earlier is not None else None
    is_cut = counts.refusal is None and pipeline.archive.is_cut(upload.id)
    return notices.Result(
        upload_id=upload.id,
        provider=provider.name if provider is not None else None,
        received_at=upload.received_at.astimezone(pipeline.zone),
        finished_at=(upload.decided_at or pipeline.now()).astimezone(pipeline.zone),
        file_name=upload.file_name,
        counts=counts,
        sentences=[
            reasons.describe_remedy(code, counts.reasons[code])
            for code in reasons.REASONS
            if code in counts.reasons
        ],
        ignored_columns=upload.ignored_columns,
        remarks=upload.remarks,
        origin=upload.origin,
        relatives=relatives,
        outstanding=upload.outstanding,
        withdrawn_at=upload.withdrawn_at
        and upload.withdrawn_at.astimezone(pipeline.zone),
        corrections=[(each.line, each.old_address) for each in corrections],
        earlier=same,
        may_be_cut=is_cut,
        encoding=encoding,
        read_name=read_name,
    )


def _describe_earlier(
    pipeline: pipelines.Pipeline, found: listing.EarlierUpload
) -> notices.EarlierUpload:
    day = pipeline.today(found.received_at)
    return notices.EarlierUpload(upload_id=found.upload_id, day=day, rows=found.rows)


def _write(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> Published:
    rows, path, data = upload.rejected, None, None
    if not _is_kept(pipeline, upload):
        return Published(rows=rows, purged_at=upload.purged_at)
    if _has_report(upload):
        path, data = pipeline.reports.path(upload.id), _render(pipeline, upload)
        pipeline.reports.write(upload.id, data)
    is_in_results = upload.provider is not None and _put_in_results(
        pipeline, upload, data
    )
    return Published(rows=rows, path=path, is_in_results=is_in_results)


def _is_kept(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> bool:
    """Return whether retention has removed neither rejected rows nor the file.

    Without the file, the receipt would be a shorter one.
    """
    is_file_kept = upload.claim_refusal is not None or pipeline.archive.has(upload.id)
    return upload.purged_at is None and is_file_kept


def _rewrite_receipt(
    pipeline: pipelines.Pipeline, upload_id: str, found: bytes
) -> str | None:
    """Return the receipt as it is now, or None if `found` is the same or not ours."""
    with pipeline.store.begin() as conn:
        upload = uploads.get(conn, upload_id)
    receipt = notices.make_receipt(_make_result(pipeline, upload))
    before = found.decode("utf-8", "replace")
    without = follow_up.drop_relatives
    is_ours = without(before) == without(receipt)
    return receipt if is_ours and before != receipt else None


def _has_report(upload: uploads.Upload) -> bool:
    return upload.rejected > 0 and upload.purged_at is None


def _render(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> bytes:
    with pipeline.store.begin() as conn:
        rows = rejected_rows.read(conn, upload.id)
    return error_report.render_report(rows, rows["message"], rows["extra_cells"])


def _is_whole(report: bytes, rows: int) -> bool:
    """Return whether a report is valid CSV, ends with a row, and has so many rows."""
    lines = io.TextIOWrapper(io.BytesIO(report), "utf-8-sig", newline="")
    try:
        count = sum(1 for _ in csv.reader(lines, strict=True)) - 1  # the header
    except (csv.Error, UnicodeDecodeError):
        return False
    return count == rows and report.endswith(b"\r\n")


def _put_in_results(
    pipeline: pipelines.Pipeline, upload: uploads.Upload, data: bytes | None
) -> bool:
    try:
        reports.publish(
            pipeline.folders,
            slug=upload.provider or "",
            upload_id=upload.id,
            file_name=upload.file_name,
            report=data,
            receipt=notices.make_receipt(_make_result(pipeline, upload)),
            announced=advise.list_announced(pipeline, upload),
        )
    except (reports.ResultsForbidden, provider_folders.ProviderFolderMissing):
        return False
    return True
