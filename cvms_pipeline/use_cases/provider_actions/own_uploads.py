"""What providers see of their own uploads: the history, how long, who took a report.

One upload and its rejected rows are read by `use_cases.history`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import uploads
from cvms_pipeline.store.provider_reads import own_uploads
from cvms_pipeline.use_cases import pipelines

Download = own_uploads.Download
Page = own_uploads.Page
Wanted = own_uploads.Wanted

_MIN_SECONDS = 30.0
_LATE_FACTOR = 3.0
"""An upload is late after so many times what nine in ten take, and half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How long an upload without an outcome will take.

    Attributes:
        usual_seconds: What half of the latest uploads took; None: not measured yet.
        is_late: Whether it takes longer than uploads usually do.
    """

    usual_seconds: float | None
    is_late: bool


def list_own_uploads(pipeline: pipelines.Pipeline, wanted: Wanted) -> Page:
    """Return a page of a provider's uploads that match, the latest first."""
    with pipeline.store.begin() as conn:
        return own_uploads.read_page(conn, wanted)


def list_downloads(
    pipeline: pipelines.Pipeline, found: uploads.Upload
) -> Sequence[Download]:
    """Return which accounts have taken the error report of an upload, and when."""
    with pipeline.store.begin() as conn:
        return own_uploads.list_downloads(conn, found.id)


def estimate_progress(
    pipeline: pipelines.Pipeline, found: uploads.Upload
) -> Progress | None:
    """Return how long an upload will take; None if it has its outcome or has failed."""
    waiting = (upload.UploadStatus.RECEIVED, upload.UploadStatus.PROCESSING)
    if found.status not in waiting:
        return None
    with pipeline.store.begin() as conn:
        usual = own_uploads.measure_usual_time(conn, found.lane)
    limit = pipeline.delayed_after
    if usual is not None:
        seconds = max(_MIN_SECONDS, usual.most * _LATE_FACTOR)
        limit = min(limit, dt.timedelta(seconds=seconds))
    is_late = pipeline.now() - found.received_at > limit
    return Progress(
        usual_seconds=None if usual is None else usual.median,
        is_late=is_late or found.delayed_at is not None,
    )
