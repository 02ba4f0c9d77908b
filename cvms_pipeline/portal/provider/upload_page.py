"""The pages of one upload: its outcome, its error report as a file, its receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import http, shortcuts
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.provider import outstanding_rows, shown_uploads
from cvms_pipeline.use_cases import history, pipelines, providers
from cvms_pipeline.use_cases.provider_actions import (
    mistakes,
    outstanding,
    own_uploads,
    receipts,
)

_INVITATIONS = {
    history.MessageStatus.WAITING: "waiting",
    history.MessageStatus.SENT: "sent",
    history.MessageStatus.REFUSED: "refused by a mail server",
    history.MessageStatus.WITHDRAWN: "withdrawn, because the address was corrected",
}
"""The words for the states of invitations, in the order in which they are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """A reason of rejected rows: how many, what is wrong, how it is corrected."""

    rows: int
    sentence: str
    remedy: str


@methods.require_safe
def show_upload(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Show one upload: its counts, and each rejected row with its reasons."""
    pipeline, found = find_own(request, upload_id)
    person = roles.get_account(request).person
    context = {
        "upload": shown_uploads.describe(found),
        **_describe_progress(pipeline, found),
        "problems": _list_problems(found),
        **outstanding_rows.describe(pipeline, found, request),
        **describe_mistakes(request),
        **_describe_invitations(pipeline, found),
        "downloads": own_uploads.list_downloads(pipeline, found),
        "cases": shown_uploads.describe_cases(pipeline, found.id, person),
    }
    return shortcuts.render(request, "provider/upload.html", context)


@methods.require_safe
def download_report(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Send the error report as a file; the audit records who took it."""
    pipeline, found = find_own(request, upload_id)
    try:
        data = history.render_error_report(pipeline, found)
    except history.NothingRejected:
        raise http.Http404 from None
    response = http.HttpResponse(data, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{upload.REPORT_NAME}"'
    return response


@methods.require_safe
def show_receipt(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Show the receipt of an upload that has its outcome, to be printed."""
    pipeline, found = find_own(request, upload_id)
    if found.decided_at is None or found.provider is None:
        raise http.Http404
    context = {
        "upload": shown_uploads.describe(found),
        "provider": providers.get_provider(pipeline, found.provider).facts,
        "problems": _list_problems(found),
        "relatives": outstanding.list_relatives(pipeline, found),
        "code": receipts.make_code(pipeline, found),
        "now": pipeline.now(),
    }
    return shortcuts.render(request, "provider/receipt.html", context)


def find_own(
    request: http.HttpRequest, upload_id: str
) -> tuple[pipelines.Pipeline, history.Upload]:
    """Return the pipeline and the upload, if it is one of the account's provider."""
    pipeline = recording.open_pipeline(request)
    try:
        provider = roles.get_account(request).provider
        return pipeline, history.get_upload(pipeline, upload_id, provider=provider)
    except history.UploadUnknown:
        raise http.Http404 from None


def describe_mistakes(request: http.HttpRequest) -> Mapping[str, Any]:
    """Return what `provider/mistakes.html` shows, for whoever is logged in."""
    provider = roles.get_account(request).provider
    pipeline = recording.open_pipeline(request)
    return {"mistakes": mistakes.list_mistakes(pipeline, provider)}


def _describe_progress(
    pipeline: pipelines.Pipeline, found: history.Upload
) -> Mapping[str, Any]:
    """Return how long it will take while it runs, and whether it is late."""
    progress = own_uploads.estimate_progress(pipeline, found)
    if progress is None:
        return {"is_waiting": False}
    usual = progress.usual_seconds
    return {
        "is_waiting": True,
        "is_late": progress.is_late,
        "usual": "" if usual is None else shown_uploads.describe_seconds(usual),
    }


def _describe_invitations(
    pipeline: pipelines.Pipeline, found: history.Upload
) -> Mapping[str, Any]:
    counts = history.count_invitations(pipeline, found)
    return {
        "invitations": [
            (counts[status], words)
            for status, words in _INVITATIONS.items()
            if status in counts
        ],
        "refused": history.list_refused_invitations(pipeline, found),
        "people": found.loaded - found.updated,
    }


def _list_problems(found: history.Upload) -> Sequence[_Problem]:
    return [
        _Problem(
            rows=count,
            sentence=reasons.REASONS[code].sentence,
            remedy=reasons.describe_remedy(code, count),
        )
        for code, count in found.reasons.items()
    ]
