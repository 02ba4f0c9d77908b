"""Bulk Registration: a file is sent, reviewed or not, and becomes an upload.

Low volume goes by the review (`reviewing`); high volume is submitted at once.  What
happens is decided by `use_cases.provider_actions`.
"""

import threading

from allauth.core import ratelimit
from django import forms, http, shortcuts
from django.conf import settings
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import columns, upload
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.provider import (
    begun,
    form_keys,
    recipients,
    upload_page,
)
from cvms_pipeline.portal.site import faults, limits
from cvms_pipeline.use_cases import drop
from cvms_pipeline.use_cases.provider_actions import review, submit

SUBMITTED = "Success · File submitted for processing"
DISABLED = (
    "Your organisation may not upload at the moment, and nothing was loaded. Ask the"
    " help desk."
)
_TOO_OFTEN = (
    f"You have sent {limits.MAX_UPLOADS_PER_HOUR} files in an hour, and this one was"
    " not taken. Try again in an hour."
)
_AT_ONCE = threading.BoundedSemaphore(2)
"""How many files are read at the same time, so that pages do not wait for them."""


class UploadForm(forms.Form):
    """A file, and in high volume what makes it the same file when it is sent again."""

    use_required_attribute = False  # the button explains what is missing
    file = forms.FileField(
        label="CSV file",
        allow_empty_file=True,
        error_messages={"required": "Choose a CSV file first."},
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,text/csv"}),
    )
    key = forms.CharField(required=False, widget=forms.HiddenInput)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def low_volume(request: http.HttpRequest) -> http.HttpResponse:
    """Show the form for up to 100 rows; a POST begins a review."""
    form = _read_form(request)
    if form is None or not _is_accepted(request, form):
        return _show(request, form, upload.Lane.LOW_VOLUME)
    file, account = form.cleaned_data["file"], roles.get_account(request)
    try:
        with _AT_ONCE:
            shown = review.begin(
                recording.open_pipeline(request),
                file.read(),
                file_name=file.name,
                provider=account.provider,
                sent_by=str(account.pk),
            )
    except drop.ProviderDisabled:
        form.add_error("file", DISABLED)
        return _show(request, form, upload.Lane.LOW_VOLUME)
    refusal = shown.checked.outcome.refusal
    if shown.file is None and refusal is not None:
        form.add_error("file", refusal.message)
        return _show(request, form, upload.Lane.LOW_VOLUME)
    if shown.file is None:
        return shortcuts.redirect("bulk")
    if not shown.is_for_high_volume:
        begun.keep(shown.file.id, shown)
    return shortcuts.redirect("review", shown.file.id)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def high_volume(request: http.HttpRequest) -> http.HttpResponse:
    """Show the form for up to 5,000 rows; a POST submits the file."""
    form = _read_form(request)
    if form is None or not _is_accepted(request, form):
        return _show(request, form, upload.Lane.HIGH_VOLUME)
    file, account = form.cleaned_data["file"], roles.get_account(request)
    pipeline, data = recording.open_pipeline(request), file.read()
    submission = submit.Submission(
        upload_id=form_keys.choose_id(
            form.cleaned_data["key"],
            form_keys.SUBMISSION,
            account_id=str(account.pk),
            data=data,
        ),
        data=data,
        file_name=file.name,
        lane=upload.Lane.HIGH_VOLUME,
        provider=account.provider,
        sent_by=str(account.pk),
    )
    try:
        with _AT_ONCE:
            refusal = review.find_refusal(pipeline, data, provider=account.provider)
        if refusal is None:
            made = submit.submit(pipeline, submission)
    except drop.ProviderDisabled:
        form.add_error("file", DISABLED)
        return _show(request, form, upload.Lane.HIGH_VOLUME)
    if refusal is not None:
        form.add_error("file", refusal.message)
        return _show(request, form, upload.Lane.HIGH_VOLUME)
    messages.success(request, SUBMITTED)
    return shortcuts.redirect("upload", made.id)


@methods.require_safe
def download_template(_request: http.HttpRequest) -> http.HttpResponse:
    """Send the empty template: a CSV that has only the header."""
    header = ",".join(columns.TEMPLATE_HEADER) + "\r\n"
    response = http.HttpResponse(header, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="template.csv"'
    return response


def _read_form(request: http.HttpRequest) -> UploadForm | None:
    """Return the form that was sent; None if none was."""
    if request.method != "POST":
        return None
    return UploadForm(request.POST, request.FILES)


def _is_accepted(request: http.HttpRequest, form: UploadForm) -> bool:
    """Return whether there is a file, and not too many were sent before."""
    if not form.is_valid():
        return False
    if ratelimit.consume(request, action="upload"):
        return True
    form.add_error("file", _TOO_OFTEN)
    return False


def _show(
    request: http.HttpRequest, form: UploadForm | None, lane: upload.Lane
) -> http.HttpResponse:
    key = form_keys.make_key(form_keys.SUBMISSION)
    shown = form or UploadForm(initial={"key": key})
    return faults.render_form(
        request,
        "provider/bulk.html",
        shown,
        **recipients.describe_list(request),
        **upload_page.describe_mistakes(request),
        lane=lane,
        low=upload.Lane.LOW_VOLUME,
        high=upload.Lane.HIGH_VOLUME,
        max_bytes=settings.CVMS.pipeline.max_bytes,
    )
