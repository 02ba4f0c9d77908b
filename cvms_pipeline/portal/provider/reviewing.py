"""The review of a file, its buttons, and the alert after Create Records.

Reading and deciding is `use_cases.provider_actions.review`; words are `review_words`.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django import http, shortcuts
from django.conf import settings
from django.contrib import messages
from django.template import loader
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.provider import begun, bulk, review_words
from cvms_pipeline.use_cases import drop, history
from cvms_pipeline.use_cases.provider_actions import rehearsal, review

_REVIEW = "provider/review.html"
_SEEN = re.compile(r"([0-9]{1,7}):([a-z]{1,20})")
_LATE = dt.timedelta(seconds=30)
_REMOVED = "The file was removed. Nothing was loaded."
_TOO_LATE = "It was too late to cancel: the records are being created."
_CHANGED = (
    "The stored file is not the one that was reviewed, so nothing was loaded. Cancel,"
    " and upload the file again."
)


@methods.require_safe
def show_review(request: http.HttpRequest, review_id: str) -> http.HttpResponse:
    """Show what would happen to each row of a file that waits."""
    provider = roles.get_account(request).provider
    try:
        shown = review.read(
            recording.open_pipeline(request),
            review_id,
            provider=provider,
            begun=begun.take(review_id),
        )
    except review.ReviewDecided:
        return shortcuts.redirect("sent", review_id)
    except review.ReviewUnknown:
        return _tell_gone(request)
    context = _describe(shown, only=request.GET.get("only") == "problems")
    return shortcuts.render(request, _REVIEW, context)


def rehearse() -> None:
    """Make the page of an invented review, so that the first real one is not slow."""
    shown = rehearsal.rehearse(settings.CVMS.pipeline)
    loader.render_to_string(_REVIEW, _describe(shown, only=False))


def _describe(shown: review.Review, *, only: bool) -> Mapping[str, Any]:
    """Return what the page shows; `only` says whether only rows with problems."""
    verdicts = shown.rows["verdict"]
    return {
        "file": shown.file,
        "is_for_high_volume": shown.is_for_high_volume,
        **review_words.describe(shown, only_problems=only),
        "seen": " ".join(f"{line}:{each}" for line, each in verdicts.items()),
    }


@methods.require_POST
def create(request: http.HttpRequest, review_id: str) -> http.HttpResponse:
    """Load the reviewed file; the alert follows."""
    seen = dict(_SEEN.findall(request.POST.get("seen", "")))
    answer = _create(request, review_id, seen=seen)
    return answer or shortcuts.redirect("sent", review_id)


@methods.require_POST
def send_to_high_volume(request: http.HttpRequest, review_id: str) -> http.HttpResponse:
    """Submit the file that waits to high volume; its upload's page follows."""
    answer = _create(request, review_id, lane=upload.Lane.HIGH_VOLUME)
    if answer is not None:
        return answer
    messages.success(request, bulk.SUBMITTED)
    return shortcuts.redirect("upload", review_id)


@methods.require_POST
def cancel(request: http.HttpRequest, review_id: str) -> http.HttpResponse:
    """Remove the file that waits."""
    provider = roles.get_account(request).provider
    try:
        review.cancel(recording.open_pipeline(request), review_id, provider=provider)
    except review.ReviewDecided:
        messages.warning(request, _TOO_LATE)
        return shortcuts.redirect("sent", review_id)
    except review.ReviewUnknown:
        return _tell_gone(request)
    messages.success(request, _REMOVED)
    return shortcuts.redirect("bulk")


@methods.require_safe
def show_sent(request: http.HttpRequest, upload_id: str) -> http.HttpResponse:
    """Show the alert: what the upload has loaded, or that it is being loaded."""
    pipeline = recording.open_pipeline(request)
    provider = roles.get_account(request).provider
    try:
        found = history.get_upload(pipeline, upload_id, provider=provider)
    except history.UploadUnknown:
        return _lead_back(request, upload_id)
    is_waiting = found.decided_at is None
    age = settings.CVMS.pipeline.now() - found.received_at
    changes: Mapping[int, Any] = {}
    if not is_waiting:
        changes = review.list_changes(pipeline, upload_id, provider=provider)
    context = {
        "upload": found,
        "is_waiting": is_waiting,
        "is_late": is_waiting and (found.has_failed or age > _LATE),
        "sentence": review_words.describe_outcome(found.loaded, found.rejected),
        "changes": [
            review_words.describe_change(line, shown, happened)
            for line, (shown, happened) in changes.items()
        ],
    }
    return shortcuts.render(request, "provider/sent.html", context)


def _create(
    request: http.HttpRequest, review_id: str, **how: Any
) -> http.HttpResponse | None:
    """Let the file that waits become an upload; return an answer if it cannot."""
    account = roles.get_account(request)
    try:
        review.create(
            recording.open_pipeline(request),
            review_id,
            provider=account.provider,
            sent_by=str(account.pk),
            **how,
        )
    except review.ReviewUnknown:
        return _tell_gone(request)
    except review.FileChanged:
        messages.error(request, _CHANGED)
        return shortcuts.redirect("review", review_id)
    except drop.ProviderDisabled:
        messages.error(request, bulk.DISABLED)
        return shortcuts.redirect("review", review_id)
    return None


def _lead_back(request: http.HttpRequest, review_id: str) -> http.HttpResponse:
    """Lead to the review of what has not become an upload, because of a fault."""
    provider = roles.get_account(request).provider
    try:
        review.read(recording.open_pipeline(request), review_id, provider=provider)
    except (review.ReviewUnknown, review.ReviewDecided):
        raise http.Http404 from None
    return shortcuts.redirect("review", review_id)


def _tell_gone(request: http.HttpRequest) -> http.HttpResponse:
    return shortcuts.render(request, "provider/review_gone.html", status=404)
