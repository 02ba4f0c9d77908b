"""Judging the file of a case as a review does, and loading it for a provider.

What is loaded goes the way of every file (`submit`).  Which upload it becomes is
recorded first: after a crash the same is done again, and is that upload.
"""

from dataclasses import dataclass

from cvms_pipeline import errors
from cvms_pipeline.database import engine
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.vocabulary import audit_events, reasons, upload
from cvms_pipeline.domain.vocabulary import cases as vocabulary
from cvms_pipeline.store import uploads
from cvms_pipeline.store.help_desk import case_files, cases
from cvms_pipeline.use_cases import drop, history, pipelines
from cvms_pipeline.use_cases.help_desk import (
    attaching,
    handling,
    mails,
    people,
    reading,
)
from cvms_pipeline.use_cases.provider_actions import review, submit

Action = vocabulary.Action
_OVER = (upload.UploadStatus.WITHDRAWN, upload.UploadStatus.REFUSED)


class FileLoaded(errors.PermanentError):
    """The file was loaded already. Withdraw that upload before you load it again."""


class FileRefused(errors.PermanentError):
    """The file cannot be loaded: it would be refused as a whole. See its review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """The file that is to be loaded, for which provider, and as which upload."""

    number: int
    file: case_files.CaseFile
    upload_id: str
    provider: str


def judge_file(
    pipeline: pipelines.Pipeline,
    number: int,
    file_id: str,
    *,
    provider: str,
    by: people.Person,
) -> review.Review:
    """Return what would happen to each row if the file was loaded for a provider.

    Raises:
        ForStaff: If `by` is not of the help desk.
        FileUnknown: If the case has no such file, or it was removed.
        ProviderDisabled: If the provider's uploads are not accepted.
    """
    if not by.is_staff:
        raise handling.ForStaff
    drop.check_enabled(pipeline, provider)
    with pipeline.store.begin() as conn:
        found = cases.get(conn, number)
        file = case_files.get(conn, number, file_id)
        event = audit_events.Event.CASE_FILE_READ
        reading.record(conn, event, found, by, file=file_id, judged_for=provider)
    data = attaching.read(pipeline, file).data
    lane, _ = _choose_lane(pipeline, data)
    return review.plan(pipeline, data, provider, lane=lane)


def load_file(
    pipeline: pipelines.Pipeline,
    number: int,
    file_id: str,
    *,
    provider: str,
    by: people.Person,
    version: int,
) -> history.Upload:
    """Return the upload of a provider that the file has become; again, the same.

    Up to 100 rows go through low volume.  Provider and requester get its notice.

    Raises:
        ForStaff: If `by` is not of the help desk.
        FileUnknown: If the case has no such file, or it was removed.
        FileLoaded: If it was loaded already, for this provider or another.
        FileRefused: If it would be refused as a whole.
        ProviderDisabled: If the provider's uploads are not accepted.
        StaleCase: If the case has changed since it was shown.
    """
    if not by.is_staff:
        raise handling.ForStaff
    drop.check_enabled(pipeline, provider)
    with pipeline.store.begin() as conn:
        data = attaching.read(pipeline, case_files.get(conn, number, file_id)).data
    lane, refusal = _choose_lane(pipeline, data)
    if refusal is not None:
        raise FileRefused
    meant = _intend(pipeline, number, file_id, provider, by, version)
    submission = submit.Submission(
        upload_id=meant.upload_id,
        data=data,
        file_name=meant.file.file_name,
        lane=lane,
        provider=provider,
        sent_from=upload.Way.HELP_DESK,
        sent_by=by.account_id,
    )
    made = submit.submit(pipeline, submission)
    _link(pipeline, meant, by)
    return made


def _intend(
    pipeline: pipelines.Pipeline,
    number: int,
    file_id: str,
    provider: str,
    by: people.Person,
    version: int,
) -> _Meant:
    """Record which upload a file becomes, before it does."""
    with handling.handled(pipeline, number, by=by) as desk:
        file = case_files.get(desk.conn, number, file_id)
        upload_id = _choose_id(desk.conn, file, provider)
        if upload_id != file.upload_id:
            if desk.case.version != version:
                raise cases.StaleCase
            case_files.change(
                desk.conn,
                file_id,
                provider=provider,
                upload_id=upload_id,
                loaded_at=None,
            )
            desk.change()
    return _Meant(number=number, file=file, upload_id=upload_id, provider=provider)


def _choose_id(
    conn: engine.Connection, file: case_files.CaseFile, provider: str
) -> str:
    """Return the id of the upload that a file becomes: always the same.

    Raises:
        FileLoaded: If it is another one already, and that is not over.
    """
    facts = f"{file.id} {provider}"
    if file.upload_id is None:
        return upload.derive_id(file.added_at, facts)
    is_known = bool(uploads.find_known(conn, [file.upload_id]))
    if is_known and uploads.get(conn, file.upload_id).status in _OVER:
        return upload.derive_id(file.added_at, f"{facts} after {file.upload_id}")
    if file.provider != provider:
        raise FileLoaded
    return file.upload_id


def _link(pipeline: pipelines.Pipeline, meant: _Meant, by: people.Person) -> None:
    """Record that the upload was made, once, and tell the requester."""
    with handling.handled(pipeline, meant.number, by=by) as desk:
        file = case_files.get(desk.conn, meant.number, meant.file.id)
        if file.loaded_at is not None or file.upload_id != meant.upload_id:
            return
        case_files.change(desk.conn, file.id, loaded_at=pipeline.now())
        about = desk.case.upload_id or meant.upload_id
        is_new = desk.case.state is vocabulary.State.NEW
        changed = desk.change(upload_id=about)
        details = {
            "file": file.id,
            "upload": meant.upload_id,
            "provider": meant.provider,
        }
        added = desk.add(Action.LOADED, details=details)
        if is_new:
            changed = desk.move(vocabulary.State.IN_PROGRESS)
        mails.queue(desk.conn, pipeline, changed, added, mails.About.LOADED)


def _choose_lane(
    pipeline: pipelines.Pipeline, data: bytes
) -> tuple[upload.Lane, reasons.Refusal | None]:
    """Return the lane for so many rows, and why it refuses the file, or None."""
    low, high = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME
    refusal = reader.read_sheet(data, lane=low, max_bytes=pipeline.max_bytes).refusal
    if refusal is None or refusal.code != reasons.TOO_MANY_ROWS:
        return low, refusal
    read = reader.read_sheet(data, lane=high, max_bytes=pipeline.max_bytes)
    return high, read.refusal
