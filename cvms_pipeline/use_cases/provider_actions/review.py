"""Reviewing a file in the portal: what would happen to each row, before it is loaded.

The plan is made by `check`, with the rules and the search that `process` loads by.
The file waits in a private folder (`files.portal_files.reviewed`) until it becomes an
upload with the id of the review (`submit`), is removed, or has waited for a day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from cvms_pipeline import errors
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import outcome, verdicts
from cvms_pipeline.domain.vocabulary import audit_events, reasons, upload
from cvms_pipeline.files.portal_files import reviewed
from cvms_pipeline.store import audit, loading, uploads
from cvms_pipeline.use_cases import check, drop, pipelines
from cvms_pipeline.use_cases.provider_actions import submit

Verdict = verdicts.Verdict
ReviewedFile = reviewed.ReviewedFile
_LOW, _HIGH = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME


class ReviewUnknown(errors.PermanentError):
    """There is no such review, or its file was removed."""


class ReviewDecided(errors.PermanentError):
    """The file of the review was made an upload already."""


class FileChanged(errors.PermanentError):
    """The file that waits is not the one that was reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What would happen to a file.

    Attributes:
        file: The file; None if it is refused and does not wait.
        checked: The plan, with counts and the texts of each rejected row.
        rows: What happens to each row: `verdicts.find_verdicts`.
        problems: What is wrong with which cell: `verdicts.place_problems`.
    """

    file: reviewed.ReviewedFile | None
    checked: check.CheckedFile
    rows: pd.DataFrame = field(repr=False)
    problems: pd.DataFrame = field(repr=False)

    @property
    def is_for_high_volume(self) -> bool:
        """Return whether the file waits although low volume refuses its many rows."""
        return self.file is not None and self.checked.outcome.refusal is not None


def begin(
    pipeline: pipelines.Pipeline,
    data: bytes,
    *,
    file_name: str,
    provider: str,
    sent_by: str,
) -> Review:
    """Review a file; it waits if it can be loaded, in low volume or in high volume.

    The audit records how many rows would load, or why the file is refused.

    Raises:
        ProviderDisabled: If the provider's uploads are not accepted.
    """
    drop.check_enabled(pipeline, provider)
    remove_expired(pipeline)
    now = pipeline.now()
    review_id = upload.make_id(now)
    review = plan(pipeline, data, provider)
    if _is_loadable(pipeline, data, review.checked.outcome.refusal):
        file = reviewed.ReviewedFile(
            id=review_id,
            file_name=file_name,
            provider=provider,
            sent_by=sent_by,
            sha256=upload.compute_sha256(data),
            begun_at=now,
        )
        pipeline.reviews.write(file, data)
        review = replace(review, file=file)
    _record_review(pipeline, review_id, provider, review.checked.outcome)
    return review


def find_refusal(
    pipeline: pipelines.Pipeline, data: bytes, *, provider: str
) -> reasons.Refusal | None:
    """Return why high volume refuses a file as a whole, or None; nothing is kept.

    The audit records the refusal.

    Raises:
        ProviderDisabled: If the provider's uploads are not accepted.
    """
    drop.check_enabled(pipeline, provider)
    read = reader.read_sheet(data, lane=_HIGH, max_bytes=pipeline.max_bytes)
    if read.refusal is not None:
        review_id = upload.make_id(pipeline.now())
        _record_review(pipeline, review_id, provider, outcome.from_sheet(read))
    return read.refusal


def read(
    pipeline: pipelines.Pipeline,
    review_id: str,
    *,
    provider: str,
    begun: Review | None = None,
) -> Review:
    """Return the review of a file that waits, by what is stored now.

    `begun` is what `begin` has just returned for it: not made again.

    Raises:
        ReviewUnknown: If the provider has no such review, or its file was removed.
        ReviewDecided: If its file was made an upload.
    """
    file = _find(pipeline, review_id, provider)
    if _is_upload(pipeline, review_id):
        raise ReviewDecided
    if begun is not None and begun.file == file:
        return begun
    data = pipeline.reviews.read(review_id)
    if data is None:
        raise ReviewUnknown
    return replace(plan(pipeline, data, provider), file=file)


def create(
    pipeline: pipelines.Pipeline,
    review_id: str,
    *,
    provider: str,
    sent_by: str,
    lane: upload.Lane = _LOW,
    seen: Mapping[str, str] | None = None,
) -> uploads.Upload:
    """Return the upload that the reviewed file has become; again, the same upload.

    `seen` is the verdict that was shown of each line; `list_changes` compares it.

    Raises:
        ReviewUnknown: If the provider has no such review, or its file was removed.
        FileChanged: If the file is not the one that was reviewed; nothing is loaded.
        ProviderDisabled: If the provider's uploads are not accepted.
    """
    file = _find(pipeline, review_id, provider)
    if not _is_upload(pipeline, review_id):
        drop.check_enabled(pipeline, provider)
        _check_same(file, pipeline.reviews.read(review_id))
        # From here on it cannot be cancelled; after a fault, it is created again.
        data = _check_same(file, pipeline.reviews.take(review_id))
        pipeline.reviews.write(replace(file, seen=seen or {}))
        submission = submit.Submission(
            upload_id=review_id,
            data=data,
            file_name=file.file_name,
            lane=lane,
            provider=provider,
            sent_by=sent_by,
        )
        submit.submit(pipeline, submission)
    pipeline.reviews.remove_file(review_id)
    with pipeline.store.begin() as conn:
        return uploads.get(conn, review_id)


def cancel(pipeline: pipelines.Pipeline, review_id: str, *, provider: str) -> None:
    """Remove a file that waits; nothing of it is loaded.

    Raises:
        ReviewUnknown: If the provider has no such review, or its file was removed.
        ReviewDecided: If somebody has decided to load it.
    """
    _find(pipeline, review_id, provider)
    if not pipeline.reviews.cancel(review_id):
        is_decided = _is_upload(pipeline, review_id) or pipeline.reviews.read(review_id)
        raise ReviewDecided if is_decided else ReviewUnknown
    _record_removal(pipeline, review_id, provider, "cancelled")


def leave(pipeline: pipelines.Pipeline, *, sent_by: str) -> None:
    """Remove the files that wait for the account `sent_by`, which logs out."""
    for file in pipeline.reviews.list_waiting(now=pipeline.now()):
        if file.sent_by == sent_by and pipeline.reviews.cancel(file.id):
            _record_removal(pipeline, file.id, file.provider, "logged-out")


def remove_expired(pipeline: pipelines.Pipeline, *, dry_run: bool = False) -> int:
    """Remove reviews that were begun more than a day ago; return how many there are."""
    expired = pipeline.reviews.list_expired(now=pipeline.now())
    for review_id in [] if dry_run else expired:
        pipeline.reviews.remove(review_id)
    return len(expired)


def list_changes(
    pipeline: pipelines.Pipeline, upload_id: str, *, provider: str
) -> Mapping[int, tuple[Verdict, Verdict]]:
    """Return the lines of a loaded upload of which the review had shown otherwise.

    Returns:
        By line: the verdict that was shown, and what has happened.  Empty if the upload
        was not reviewed, or longer than a day ago.
    """
    file = pipeline.reviews.find(upload_id, now=pipeline.now())
    if file is None or file.provider != provider:
        return {}
    with pipeline.store.begin() as conn:
        codes, corrected = loading.list_decided_lines(conn, upload_id)
    happened = dict.fromkeys(map(int, file.seen), Verdict.LOADS)
    happened |= dict.fromkeys(corrected, Verdict.CORRECTS)
    rejected = verdicts.classify(codes).map(Verdict)
    happened |= dict(zip(codes.index.tolist(), rejected, strict=True))
    shown = {int(line): Verdict(verdict) for line, verdict in file.seen.items()}
    return {
        line: (shown[line], happened[line])
        for line in sorted(shown)
        if shown[line] != happened[line]
    }


def plan(
    pipeline: pipelines.Pipeline,
    data: bytes,
    provider: str,
    *,
    lane: upload.Lane = _LOW,
) -> Review:
    """Return the plan of a file that does not wait; nothing is recorded."""
    return show(check.check_file(pipeline, data, lane=lane, provider=provider))


def show(checked: check.CheckedFile) -> Review:
    """Return what would happen to each row of a checked file, which does not wait."""
    return Review(
        file=None,
        checked=checked,
        rows=verdicts.find_verdicts(checked.planned),
        problems=verdicts.place_problems(checked.planned.rejections),
    )


def _is_loadable(
    pipeline: pipelines.Pipeline, data: bytes, refusal: reasons.Refusal | None
) -> bool:
    """Return whether a file is taken, in high volume if `refusal` is for its rows."""
    if refusal is None or refusal.code != reasons.TOO_MANY_ROWS:
        return refusal is None
    read = reader.read_sheet(data, lane=_HIGH, max_bytes=pipeline.max_bytes)
    return read.refusal is None


def _find(
    pipeline: pipelines.Pipeline, review_id: str, provider: str
) -> reviewed.ReviewedFile:
    file = pipeline.reviews.find(review_id, now=pipeline.now())
    if file is None or file.provider != provider:
        raise ReviewUnknown
    return file


def _check_same(file: reviewed.ReviewedFile, data: bytes | None) -> bytes:
    if data is None:
        raise ReviewUnknown
    if upload.compute_sha256(data) != file.sha256:
        raise FileChanged
    return data


def _is_upload(pipeline: pipelines.Pipeline, review_id: str) -> bool:
    with pipeline.store.begin() as conn:
        return bool(uploads.find_known(conn, [review_id]))


def _record_review(
    pipeline: pipelines.Pipeline,
    review_id: str,
    provider: str,
    found: outcome.Outcome,
) -> None:
    names = ("rows", "loaded", "updated", "rejected")
    details: dict[str, object] = {name: getattr(found, name) for name in names}
    if found.refusal is not None:
        details = {"refusal": found.refusal.code}
    event = audit_events.Event.FILE_REVIEWED
    _record(pipeline, event, review_id, provider, details)


def _record_removal(
    pipeline: pipelines.Pipeline, review_id: str, provider: str, because: str
) -> None:
    event = audit_events.Event.REVIEW_REMOVED
    _record(pipeline, event, review_id, provider, {"because": because})


def _record(
    pipeline: pipelines.Pipeline,
    event: audit_events.Event,
    review_id: str,
    provider: str,
    details: Mapping[str, object],
) -> None:
    note = audit.Note(
        event=event, upload_id=review_id, provider=provider, details=details
    )
    with pipeline.store.begin() as conn:
        audit.write(conn, [note])
