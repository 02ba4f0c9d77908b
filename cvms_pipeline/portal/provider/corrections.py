"""What is left of an upload: rows to correct or dismiss, and its withdrawal.

What the pages show is `outstanding_rows`; what happens is decided by
`use_cases.provider_actions`.
"""

import re

from allauth.core import ratelimit
from django import http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import columns
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.provider import (
    bulk,
    form_keys,
    outstanding_rows,
    shown_uploads,
    upload_page,
)
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases import drop, history, pipelines
from cvms_pipeline.use_cases.provider_actions import correct, outstanding, withdraw

_MAX_UPLOADS = 100
_FIELD = re.compile(rf"([0-9]{{1,7}})-({'|'.join(columns.NAMES)})", re.ASCII)
_DISMISSED = re.compile(r"([0-9]{1,7})-dismiss", re.ASCII)
_WHY = "Say in a few words why."


@methods.require_http_methods(["GET", "HEAD", "POST"])
def correct_rows(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Show the outstanding rows of an upload; a POST loads or dismisses some."""
    pipeline, found = upload_page.find_own(request, upload_id)
    if request.method != "POST":
        return _show_rows(request, pipeline, found)
    if request.POST.get("action") == "dismiss":
        return _dismiss(request, pipeline, found)
    return _load(request, pipeline, found)


@methods.require_safe
def list_outstanding(request: http.HttpRequest) -> http.HttpResponse:
    """Show what the provider has outstanding, over all of its uploads."""
    provider = roles.get_account(request).provider
    pipeline = recording.open_pipeline(request)
    context = {
        "uploads": outstanding.list_outstanding(
            pipeline, provider=provider, limit=_MAX_UPLOADS
        ),
        "total": outstanding.count_outstanding(pipeline, provider),
        "limit": _MAX_UPLOADS,
    }
    return shortcuts.render(request, "provider/outstanding.html", context)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def withdraw_upload(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Ask whether an upload is to be withdrawn; a POST withdraws it."""
    pipeline, found = upload_page.find_own(request, upload_id)
    context = {"upload": shown_uploads.describe(found), "error": ""}
    if request.method != "POST":
        if not withdraw.can_withdraw(pipeline, found):
            return shortcuts.redirect("upload", upload_id)
        return shortcuts.render(request, "provider/withdrawal.html", context)
    try:
        withdraw.withdraw(
            pipeline,
            upload_id,
            why=request.POST.get("why", ""),
            provider=found.provider,
        )
    except outstanding.WhyMissing:
        context["error"] = _WHY
        return shortcuts.render(
            request, "provider/withdrawal.html", context, status=422
        )
    except withdraw.NotWithdrawable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The upload is withdrawn.")
    return shortcuts.redirect("upload", upload_id)


def _show_rows(
    request: http.HttpRequest,
    pipeline: pipelines.Pipeline,
    found: history.Upload,
    *,
    error: str = "",
) -> http.HttpResponse:
    context = {
        "upload": shown_uploads.describe(found),
        **outstanding_rows.describe_form(pipeline, found, request),
        "error": error,
    }
    status = 422 if error else 200
    return shortcuts.render(request, "provider/correct.html", context, status=status)


def _load(
    request: http.HttpRequest, pipeline: pipelines.Pipeline, found: history.Upload
) -> http.HttpResponse:
    """Send the corrected rows, and lead to the upload that they are."""
    if not ratelimit.consume(request, action="upload"):
        return faults.too_many(request)
    account_id = str(roles.get_account(request).pk)
    key = request.POST.get("key", "")
    typed: dict[int, dict[str, str]] = {}
    for name, value in request.POST.items():
        if part := _FIELD.fullmatch(name):
            typed.setdefault(int(part[1]), {})[part[2]] = str(value)
    try:
        child, count = correct.load_corrected(
            pipeline,
            found,
            typed,
            choose_id=lambda data: form_keys.choose_id(
                key, form_keys.CORRECTION, account_id=account_id, data=data
            ),
            sent_by=account_id,
        )
    except correct.NothingCorrected as error:
        return _show_rows(request, pipeline, found, error=str(error))
    except drop.ProviderDisabled:
        return _show_rows(request, pipeline, found, error=bulk.DISABLED)
    rows = "1 corrected row was" if count == 1 else f"{count:,} corrected rows were"
    messages.success(request, f"{rows} sent. This page shows what became of them.")
    return shortcuts.redirect("upload", child.id)


def _dismiss(
    request: http.HttpRequest, pipeline: pipelines.Pipeline, found: history.Upload
) -> http.HttpResponse:
    ticked = [_DISMISSED.fullmatch(name) for name in request.POST]
    lines = [int(match[1]) for match in ticked if match]
    if not lines:
        error = "Tick the rows that will not be sent again."
        return _show_rows(request, pipeline, found, error=error)
    try:
        count = outstanding.dismiss(
            pipeline,
            found.id,
            lines,
            why=request.POST.get("why", ""),
            provider=found.provider,
        )
    except outstanding.WhyMissing:
        return _show_rows(request, pipeline, found, error=_WHY)
    except outstanding.NotOutstanding:
        error = (
            "Some of these rows are not outstanding any more. Nothing was dismissed."
        )
        return _show_rows(request, pipeline, found, error=error)
    rows = "1 row is" if count == 1 else f"{count:,} rows are"
    messages.success(request, f"{rows} dismissed.")
    return shortcuts.redirect("upload", found.id)
