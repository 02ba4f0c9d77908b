"""Rejected rows that are outstanding: listed and dismissed; the chain of an upload.

An upload brings rows back when it is loaded (`store.chain.settling`); nothing here
loads anything.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store.chain import outstanding
from cvms_pipeline.use_cases import history, pipelines, publish

NotOutstanding = outstanding.NotOutstanding
WhyMissing = outstanding.WhyMissing
OutstandingUpload = outstanding.OutstandingUpload
Relative = upload.Relative
RowState = outstanding.RowState


def list_outstanding(
    pipeline: pipelines.Pipeline, *, provider: str | None = None, limit: int
) -> Sequence[OutstandingUpload]:
    """Return the latest uploads with outstanding rows, the latest first.

    `provider` is the slug of the provider that reads them, or None for staff.
    """
    with pipeline.store.begin() as conn:
        return outstanding.list_outstanding(conn, provider=provider, limit=limit)


def count_outstanding(pipeline: pipelines.Pipeline, provider: str) -> int:
    """Return how many rejected rows of a provider are outstanding."""
    with pipeline.store.begin() as conn:
        return outstanding.count_outstanding(conn, provider)


def read_states(
    pipeline: pipelines.Pipeline, found: history.Upload
) -> Mapping[int, RowState]:
    """Return what became of each rejected row of an upload, by line."""
    if not found.rejected:
        return {}
    with pipeline.store.begin() as conn:
        return outstanding.read_states(conn, found.id)


def list_relatives(
    pipeline: pipelines.Pipeline, found: history.Upload
) -> Sequence[Relative]:
    """Return the parents of an upload, then its children."""
    with pipeline.store.begin() as conn:
        return outstanding.list_relatives(conn, found)


def dismiss(
    pipeline: pipelines.Pipeline,
    upload_id: str,
    lines: Collection[int] | None = None,
    *,
    why: str,
    provider: str | None = None,
) -> int:
    """Dismiss rejected rows of an upload that nobody will send again.

    Args:
        pipeline: The pipeline.
        upload_id: The upload.
        lines: Their lines: all of them are dismissed or none. None: all outstanding.
        why: A word that says why; kept with the rows, and not in the audit.
        provider: The provider that does it; None for staff.

    Returns:
        How many rows were dismissed.

    Raises:
        UploadUnknown: If there is no such upload of the provider.
        NotOutstanding: If a line is not outstanding, or none is.
        WhyMissing: If `why` says nothing.
    """
    history.get_upload(pipeline, upload_id, provider=provider)
    with pipeline.store.begin() as conn:
        dismissed = outstanding.dismiss(conn, upload_id, lines, why=why)
    with contextlib.suppress(errors.CvmsError):  # the next child brings it up to date
        publish.update_receipts(pipeline, [upload_id])
    return dismissed
