"""How uploads look on pages: their status, sender and waiting time in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cvms_pipeline.domain.vocabulary import cases, upload
from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases import history, pipelines
from cvms_pipeline.use_cases.help_desk import people, reading

STATUSES = {
    upload.UploadStatus.RECEIVED: ("Waiting", "info"),
    upload.UploadStatus.PROCESSING: ("Being processed", "info"),
    upload.UploadStatus.COMPLETED: ("Success", "good"),
    upload.UploadStatus.COMPLETED_WITH_ERRORS: ("Some rows rejected", "warning"),
    upload.UploadStatus.REFUSED: ("File refused", "bad"),
    upload.UploadStatus.FAILED: ("Delayed", "warning"),
    upload.UploadStatus.WITHDRAWN: ("Withdrawn", "info"),
}
"""The words for a status, and how they look."""

WAYS = {
    upload.Way.FOLDER: "Shared folder",
    upload.Way.PORTAL: "Portal",
    upload.Way.HELP_DESK: "Help desk",
}
"""How a file came."""

_NOTES = {
    upload.UploadStatus.RECEIVED: "It has arrived and waits for its turn.",
    upload.UploadStatus.PROCESSING: "Its rows are being loaded.",
    upload.UploadStatus.WITHDRAWN: (
        "It was taken back: nobody of it is registered, and nobody is invited."
    ),
    upload.UploadStatus.FAILED: (
        "Something on our side has failed. Nothing is lost: data operations know of it"
        " and repeat the upload. You need not send the file again."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUpload:
    """An upload, and its status and sender in words."""

    facts: history.Upload
    status: str
    look: str
    note: str
    sender: str


def describe_all(found: Sequence[history.Upload]) -> Sequence[ShownUpload]:
    """Return uploads with their words."""
    names = _find_usernames(each.sent_by for each in found)
    return [_describe(each, names) for each in found]


def describe(found: history.Upload) -> ShownUpload:
    """Return one upload with its words."""
    return describe_all([found])[0]


def describe_cases(
    pipeline: pipelines.Pipeline, upload_id: str, by: people.Person
) -> Mapping[str, bool]:
    """Return the numbers of the cases of an upload, and whether they may be opened."""
    found = reading.list_cases_of_upload(pipeline, upload_id, by=by)
    return {cases.format_number(n): may_open for n, may_open in found.items()}


def describe_seconds(seconds: float) -> str:
    """Return a time in words, as exact as people need it while they wait."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 60:
        return f"about {round(seconds, -1):.0f} seconds"
    minutes = round(seconds / 60)
    return "about a minute" if minutes == 1 else f"about {minutes:,} minutes"


def _describe(found: history.Upload, names: Mapping[str, str]) -> ShownUpload:
    status, look = STATUSES[found.status]
    name = names.get(found.sent_by or "", "")
    way = WAYS[found.sent_from]
    return ShownUpload(
        facts=found,
        status=status,
        look=look,
        note=_NOTES.get(found.status, ""),
        sender=f"{name} ({way.lower()})" if name else way,
    )


def _find_usernames(ids: Iterable[str | None]) -> Mapping[str, str]:
    """Return the usernames of accounts by their ids."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    found = models.Account.objects.filter(pk__in=wanted)
    return {str(pk): name for pk, name in found.values_list("pk", "username")}
