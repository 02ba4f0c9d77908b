"""Judging an upload: its bytes to rows, its rows to reasons, its people to twins.

Nothing is stored and nothing sent here; so it can be done again at any time, and
for a file that nobody has uploaded (`cvms check`).
"""

import datetime as dt

from cvms_pipeline.domain import duplicates, reading, reasons, refusals, schema, sheet
from cvms_pipeline.domain import upload as domain_upload
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.store import recipients, uploads


def read_rows(pipeline: pipelines.Pipeline, upload_id: str, run_id: str) -> sheet.Sheet:
    """Note that `run_id` has begun, and return the upload's rows or its refusal.

    Raises:
        UploadUnknown: If there is no such upload.
        ArchiveMissing, ArchiveDamaged: If its bytes are not those that were received.
    """
    with pipeline.store.begin() as conn:
        uploads.start(conn, upload_id, now=pipeline.now(), run_id=run_id)
    return _read(pipeline, find(pipeline, upload_id))


def validate_rows(
    pipeline: pipelines.Pipeline, upload_id: str, read: sheet.Sheet
) -> sheet.Sheet:
    """Return the sheet with every reason of every row.

    Birth dates are judged by the day the upload was received, so that running it
    again another day comes to the same end.
    """
    received_at = find(pipeline, upload_id).received_at
    return schema.judge(read, today=pipeline.today(received_at))


def find_duplicates(
    pipeline: pipelines.Pipeline, upload_id: str, judged: sheet.Sheet
) -> sheet.Sheet:
    """Return the sheet with its plan: which rows are new, corrections or twins."""
    upload = find(pipeline, upload_id)
    keys = duplicates.keys(judged.valid)
    with pipeline.store.begin() as conn:
        matches, taken = recipients.look_up(conn, keys)
    return duplicates.decide(
        judged,
        matches,
        provider=upload.provider,
        upload=upload_id,
        compared=keys,
        taken=taken,
    )


def again(pipeline: pipelines.Pipeline, upload_id: str, step: str) -> sheet.Sheet:
    """Return what `step` made of the upload, made anew from the archive."""
    made = _read(pipeline, find(pipeline, upload_id))
    if step in ("validate_rows", "find_duplicates"):
        made = validate_rows(pipeline, upload_id, made)
    if step == "find_duplicates":
        made = find_duplicates(pipeline, upload_id, made)
    return made


def check(
    data: bytes,
    *,
    lane: domain_upload.Lane,
    today: dt.date,
    max_bytes: int,
    pipeline: pipelines.Pipeline | None = None,
) -> sheet.Sheet:
    """Return what would become of a file, without loading or sending anything.

    With a `pipeline` its store is asked for duplicates; without, only those within
    the file are found.
    """
    read = reading.read(data, lane=lane, max_bytes=max_bytes)
    judged = schema.judge(read, today=today)
    matches = duplicates.NO_MATCHES
    if pipeline is not None:
        with pipeline.store.begin() as conn:
            matches, _ = recipients.look_up(conn, duplicates.keys(judged.valid))
    return duplicates.decide(judged, matches, provider=None, upload=None)


def find(pipeline: pipelines.Pipeline, upload_id: str) -> uploads.Upload:
    """Return the upload `upload_id`.

    Raises:
        UploadUnknown: If there is none.
    """
    with pipeline.store.begin() as conn:
        found = uploads.get(conn, upload_id)
    if found is None:
        raise uploads.unknown(upload_id)
    return found


def is_forgotten(pipeline: pipelines.Pipeline, upload_id: str) -> bool:
    """Return whether the upload was decided and its file has since been removed."""
    upload = find(pipeline, upload_id)
    return upload.decided_at is not None and not _has_file(pipeline, upload)


def _read(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> sheet.Sheet:
    if upload.claim_refusal is not None:
        return reading.empty_sheet(_refusal(pipeline, upload.claim_refusal))
    if upload.decided_at is not None and not _has_file(pipeline, upload):
        return reading.empty_sheet()  # the recorded outcome stands
    data = pipeline.archive.read(upload.id, sha256=upload.sha256)
    return reading.read(data, lane=upload.lane, max_bytes=pipeline.max_bytes)


def _refusal(pipeline: pipelines.Pipeline, code: str) -> reasons.Refusal:
    """Return the refusal of what was not taken in, with the limit it is over."""
    if code == reasons.FILE_TOO_LARGE:
        return refusals.too_large(pipeline.max_bytes)
    return reasons.refusal(code)


def _has_file(pipeline: pipelines.Pipeline, upload: uploads.Upload) -> bool:
    """Return whether there is still what there was to be read."""
    return upload.claim_refusal is not None or pipeline.archive.has(upload.id)
