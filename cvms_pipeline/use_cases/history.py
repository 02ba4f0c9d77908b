"""Reading what is recorded: uploads, rejected rows, recipients, messages, the audit.

Nothing else is changed here, but each reading of personal data writes an audit entry
in the same transaction, so that no caller can read and forget the entry.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cvms_pipeline import errors
from cvms_pipeline.domain.reporting import error_report
from cvms_pipeline.domain.vocabulary import audit_events, upload
from cvms_pipeline.store import (
    audit,
    listing,
    outbox,
    refusals,
    rejected_rows,
    search,
    uploads,
)
from cvms_pipeline.use_cases import pipelines

Upload = uploads.Upload
UploadUnknown = uploads.UploadUnknown
Message = listing.ListedMessage
MessageKind = outbox.Kind
MessageStatus = outbox.Status
UploadStatus = upload.UploadStatus
AuditEntry = audit.Entry
SearchResult = search.SearchResult
RefusedInvitation = refusals.RefusedInvitation

_MAX_LATEST = 100
"""How many uploads of a day the overview shows."""

_OUTCOME_KINDS = (outbox.Kind.NOTICE, outbox.Kind.ALERT)
"""What is sent when an upload has ended: to its provider, or to data-ops instead."""


class NothingRejected(errors.PermanentError):
    """The upload has no error report, because no row of it was rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What data-ops see of one calendar day.

    Attributes:
        hour: The hour of the day in which this was read.
        providers: The day's numbers of each provider that uploaded something.
        reasons: Why files and rows of the day were rejected, most rows first.
        latest: The day's uploads, latest first, 100 at most.
        refused: The same of those that were refused.
        failed: The uploads of any day with a last run that has failed.
        withdrawn: The uploads of any day that were withdrawn today.
    """

    day: dt.date
    hour: int
    providers: Sequence[listing.ProviderSummary]
    reasons: Sequence[listing.ReasonCount]
    latest: Sequence[Upload]
    refused: Sequence[Upload]
    failed: Sequence[Upload]
    withdrawn: Sequence[Upload] = ()


def read_overview(pipeline: pipelines.Pipeline) -> Overview:
    """Return the overview of today, in the pipeline's time zone."""
    now = pipeline.now()
    midnight = dt.datetime.combine(pipeline.today(now), dt.time(), pipeline.zone)
    with pipeline.store.begin() as conn:
        refused = listing.list_uploads(
            conn,
            statuses=[UploadStatus.REFUSED],
            since=midnight,
            limit=_MAX_LATEST,
        )
        return Overview(
            day=midnight.date(),
            hour=now.astimezone(pipeline.zone).hour,
            providers=listing.summarise_uploads(conn, since=midnight),
            reasons=listing.count_reasons(conn, since=midnight),
            latest=listing.list_uploads(conn, since=midnight, limit=_MAX_LATEST),
            refused=refused,
            failed=uploads.list_failed(conn),
            withdrawn=uploads.list_withdrawn(conn, since=midnight),
        )


def count_rows(upload: Upload) -> tuple[int | None, int | None]:
    """Return the rows in the file of an upload, and those not loaded; None: unknown."""
    if upload.decided_at is None:
        return None, None
    if upload.refusal is not None:
        return upload.refused_rows, upload.refused_rows
    return upload.rows, upload.rejected


def list_uploads(
    pipeline: pipelines.Pipeline,
    *,
    provider: str | None = None,
    statuses: Collection[UploadStatus] = (),
    since: dt.datetime | None = None,
    file_name: str | None = None,
    limit: int,
) -> Sequence[Upload]:
    """Return the latest `limit` uploads that match; latest first.

    `file_name` is a part of the name, in upper or lower case.
    """
    with pipeline.store.begin() as conn:
        return listing.list_uploads(
            conn,
            provider=provider,
            statuses=statuses,
            since=since,
            file_name=file_name,
            limit=limit,
        )


def get_upload(
    pipeline: pipelines.Pipeline, upload_id: str, *, provider: str | None = None
) -> Upload:
    """Return the upload `upload_id`.

    `provider` is the slug of the provider that reads it, or None for staff.

    Raises:
        UploadUnknown: If there is none, or if it is one of another provider.
    """
    with pipeline.store.begin() as conn:
        return uploads.get(conn, upload_id, provider=provider)


def read_rejected_rows(
    pipeline: pipelines.Pipeline, found: Upload, *, is_file: bool = False
) -> pd.DataFrame:
    """Return the rejected rows of an upload; the audit records who has read them.

    With `is_file` it records that they were taken as a file.

    Returns:
        A frame of strings, indexed by `line`: `codes` (reason codes, with commas
        between), `message` (what the provider reads, with `Line N: `) and the four
        columns of original cells.
    """
    with pipeline.store.begin() as conn:
        rows = rejected_rows.read(conn, found.id)
        if len(rows):
            note = audit.Note(
                event=audit_events.Event.REPORT_READ,
                upload_id=found.id,
                provider=found.provider,
                details={"rows": len(rows)} | ({"file": True} if is_file else {}),
            )
            audit.write(conn, [note])
    return rows


def list_refused_invitations(
    pipeline: pipelines.Pipeline, found: Upload
) -> Sequence[RefusedInvitation]:
    """Return the lines of an upload whose invitation was refused permanently.

    Without those whose e-mail address has been corrected since; no personal data.
    """
    with pipeline.store.begin() as conn:
        return refusals.list_refused(conn, found.id)


def render_error_report(pipeline: pipelines.Pipeline, found: Upload) -> bytes:
    """Return the error report of an upload, rendered again from its rejected rows.

    Raises:
        NothingRejected: If there are no such rows, or they were purged.
    """
    rows = read_rejected_rows(pipeline, found, is_file=True)
    if rows.empty:
        state = f"its status is {found.status.replace('_', ' ')}"
        if found.purged_at is not None:
            state = f"its rejected rows were purged on {found.purged_at:%Y-%m-%d}"
        raise NothingRejected(f"The upload {found.id} has no error report: {state}.")
    return error_report.render_report(rows, rows["message"], rows["extra_cells"])


def search_recipients(
    pipeline: pipelines.Pipeline,
    words: Sequence[str] = (),
    *,
    sort: str = "last_name",
    is_descending: bool = False,
    limit: int = 50,
) -> SearchResult:
    """Return the recipients with a first or last name that starts with each word.

    A word with an `@` starts the e-mail address instead.

    The audit records how many were shown, neither which ones nor the words.

    Raises:
        SortUnknown: If recipients cannot be sorted by `sort`.
    """
    with pipeline.store.begin() as conn:
        found = search.search_recipients(
            conn, words, sort=sort, is_descending=is_descending, limit=limit
        )
        if len(found.recipients):
            note = audit.Note(
                event=audit_events.Event.RECIPIENTS_READ,
                details={"recipients": len(found.recipients)},
            )
            audit.write(conn, [note])
    return found


def list_messages(
    pipeline: pipelines.Pipeline,
    *,
    upload_id: str | None = None,
    kinds: Collection[MessageKind] = (),
    statuses: Collection[MessageStatus] = (),
    limit: int,
) -> Sequence[Message]:
    """Return the latest `limit` messages with masked addresses, the latest first.

    They are of one upload or of all, of one of `kinds` and have one of `statuses`, if
    there are any.
    """
    with pipeline.store.begin() as conn:
        return listing.list_messages(
            conn, upload_id=upload_id, kinds=kinds, statuses=statuses, limit=limit
        )


def find_notice(pipeline: pipelines.Pipeline, upload_id: str) -> Message | None:
    """Return the notice of an upload, or the alert in its place, if there is one."""
    found = list_messages(pipeline, upload_id=upload_id, kinds=_OUTCOME_KINDS, limit=1)
    return found[0] if found else None


def count_invitations(
    pipeline: pipelines.Pipeline, found: Upload
) -> Mapping[MessageStatus, int]:
    """Return whom an upload has invited, by the state of the newest invitation."""
    with pipeline.store.begin() as conn:
        return listing.count_invitations(conn, found.id)


def find_error_report(pipeline: pipelines.Pipeline, found: Upload) -> Path | None:
    """Return where the error report of an upload is, if it is there."""
    path = pipeline.reports.path(found.id)
    return path if path.exists() else None


def list_audit_entries(
    pipeline: pipelines.Pipeline,
    *,
    upload_id: str | None = None,
    provider: str | None = None,
    since: dt.datetime | None = None,
    limit: int,
) -> Sequence[AuditEntry]:
    """Return the latest `limit` entries of the audit that match; latest first."""
    with pipeline.store.begin() as conn:
        return audit.list_entries(
            conn, upload_id=upload_id, provider=provider, since=since, limit=limit
        )
