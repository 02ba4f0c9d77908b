"""Writing: from a message's row in the outbox to the message itself.

The words are `notify.messages`; here they meet the facts of the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cvms_pipeline.files import reports
from cvms_pipeline.ingest import judge, publish
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.notify import messages
from cvms_pipeline.store import outbox


def write(pipeline: pipelines.Pipeline, due: outbox.Due) -> messages.Message:
    """Return the message that the outbox's row `due` asks for."""
    return _WRITERS[due.kind](pipeline, due)


def _notice(pipeline: pipelines.Pipeline, due: outbox.Due) -> messages.Message:
    upload = judge.find(pipeline, due.upload_id or "")
    return messages.notice(
        publish.result(upload),
        to=due.to,
        sender=pipeline.sender,
        message_id=_message_id(pipeline, due),
        report=publish.error_report(pipeline, upload.id),
        results_folder=reports.results_name(upload.file_name, upload.id),
    )


def _invitation(pipeline: pipelines.Pipeline, due: outbox.Due) -> messages.Message:
    now = pipeline.now()
    return messages.invitation(
        to=due.to[0],
        sender=pipeline.sender,
        message_id=_message_id(pipeline, due),
        username=due.username or "",
        link=pipeline.links.link(due.recipient_id or "", issued_at=now),
        valid_until=pipeline.links.valid_until(now).astimezone(pipeline.zone),
    )


def _alert(pipeline: pipelines.Pipeline, due: outbox.Due) -> messages.Message:
    subject, sentences, link = _ALERTS[due.details["about"]](due.upload_id, due.details)
    return messages.alert(
        to=due.to[0],
        sender=pipeline.sender,
        message_id=_message_id(pipeline, due),
        subject=subject,
        sentences=sentences,
        link=f"{pipeline.ui_url}{link}",
    )


def _run_failed(
    upload_id: str | None, details: Mapping[str, Any]
) -> tuple[str, Sequence[str], str]:
    if upload_id is None:
        return (
            f"A run has failed of the job {details['job']}",
            [
                f"The run of {details['job']} has failed, and was not or no longer"
                " tried again by itself. Its page says why.",
                "When the cause is mended, choose Re-execute (from failure) on the"
                " run; running it again is safe.",
            ],
            f"/runs/{details['run']}",
        )
    return (
        f"A run has failed for upload {upload_id}",
        [
            f"The run of {details['job']} for the upload {upload_id} has failed, and"
            " was not or no longer tried again by itself.",
            "Nothing is lost: the file is in the archive. When the cause is mended,"
            " choose Re-execute (from failure) on the run; running it again never"
            " loads or sends anything twice.",
        ],
        f"/runs/{details['run']}",
    )


def _provider_unknown(
    upload_id: str | None, details: Mapping[str, Any]
) -> tuple[str, Sequence[str], str]:
    return (
        "A file in a folder of no enabled provider",
        [
            f"A file was dropped into the folder {details['folder']!r}, which belongs"
            " to no provider that may upload.",
            f"It is kept in quarantine as {upload_id}; nobody else was told. Add the"
            " provider with `cvms providers add`, or ask who has write access there.",
        ],
        f"/assets/upload?view=partitions&partition={upload_id}",
    )


def _message_id(pipeline: pipelines.Pipeline, due: outbox.Due) -> str:
    return messages.message_id(due.purpose, pipeline.sender)


_WRITERS = {
    outbox.Kind.NOTICE: _notice,
    outbox.Kind.INVITATION: _invitation,
    outbox.Kind.ALERT: _alert,
}
_ALERTS = {"run-failed": _run_failed, "provider-unknown": _provider_unknown}
