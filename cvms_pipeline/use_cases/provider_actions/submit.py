"""Submitting a file in a page: it becomes an upload like a file that was dropped.

The bytes become a claim (`files.portal_files.submitted`), and the claim an upload
(`receive`), before the call returns.  The caller chooses the id, so that the same
submission can be sent twice, or again after a fault, and is one upload.
"""

import time
from dataclasses import dataclass, field

from cvms_pipeline.domain.text import display
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import claims, watching
from cvms_pipeline.files.portal_files import submitted
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import drop, pipelines, receive

_WAIT_SECONDS = 2.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A file that somebody has sent.

    Attributes:
        upload_id: The id that its upload gets; one id, one file.
        data: Its bytes, at most as many as are read of a file.
        file_name: Its name as it was given; it may be anything.
        provider: The slug of the provider for which it is.
        sent_by: The id of the account that has sent it.
    """

    upload_id: str
    data: bytes = field(repr=False)
    file_name: str = field(repr=False)
    lane: upload.Lane
    provider: str
    sent_from: upload.Way = upload.Way.PORTAL
    sent_by: str


def submit(pipeline: pipelines.Pipeline, submission: Submission) -> uploads.Upload:
    """Return the upload that the file has become; the sensor is woken.

    If an upload or a claim has this id, it is that one, and nothing is received.  After
    an error the file may be received all the same, so it is sent again under its id.

    Raises:
        ProviderUnknown: If there is no such provider.
        ProviderDisabled: If its uploads are not accepted.
        FolderForbidden, DiskFull, FolderAway, StoreAway: It may be received later.
    """
    if found := _find(pipeline, submission.upload_id):
        return found
    drop.check_enabled(pipeline, submission.provider)
    claim = submitted.make_claim(
        pipeline.folders, _describe(pipeline, submission), submission.data
    )
    if claim is None:
        if found := _wait(pipeline, submission.upload_id):
            return found
        claim = submitted.find_claim(pipeline.folders, submission.upload_id)
    if claim is not None:
        receive.receive_claim(pipeline, claim)
        watching.wake(pipeline.folders.root)
    with pipeline.store.begin() as conn:
        return uploads.get(conn, submission.upload_id)


def _describe(pipeline: pipelines.Pipeline, submission: Submission) -> claims.Claim:
    return claims.Claim(
        upload_id=submission.upload_id,
        folder=submission.provider,
        lane=submission.lane,
        file_name=display.escape_hidden(submission.file_name),
        claimed_at=pipeline.now(),
        identity=(),
        sent_from=submission.sent_from,
        sent_by=submission.sent_by,
    )


def _find(pipeline: pipelines.Pipeline, upload_id: str) -> uploads.Upload | None:
    with pipeline.store.begin() as conn:
        if uploads.find_known(conn, [upload_id]):
            return uploads.get(conn, upload_id)
    return None


def _wait(pipeline: pipelines.Pipeline, upload_id: str) -> uploads.Upload | None:
    """Return the upload when whoever has made its claim registers it, or None."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if found := _find(pipeline, upload_id):
            return found
        time.sleep(_POLL_SECONDS)
    return None
