"""The page with the history of a provider's uploads, and its filters.

What is filtered by stays on the server, in the session: a file name may hold a name.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms, http, shortcuts
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import models, recording, roles
from cvms_pipeline.portal.provider import shown_uploads
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases import history
from cvms_pipeline.use_cases.provider_actions import own_uploads

_FILTER = "uploads_filter"
_ANY = ("", "Any")
_DATE = {"type": "date"}


class FilterForm(forms.Form):
    """Which uploads are shown."""

    file_name = forms.CharField(
        required=False, max_length=200, label="File name contains"
    )
    status = forms.ChoiceField(required=False)
    sender = forms.ChoiceField(required=False, label="Sent by")
    since = forms.DateField(
        required=False,
        label="Received from",
        widget=forms.DateInput(_DATE, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        required=False,
        label="Received until",
        widget=forms.DateInput(_DATE, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, provider: str, **kwargs: Any) -> None:
        """Offer the colleagues of this provider as senders."""
        super().__init__(*args, **kwargs)
        status, sender = self.fields["status"], self.fields["sender"]
        assert isinstance(status, forms.ChoiceField)  # noqa: S101 # so mypy knows it
        assert isinstance(sender, forms.ChoiceField)  # noqa: S101 # the same
        words = shown_uploads.STATUSES.items()
        status.choices = [_ANY, *((key.value, text) for key, (text, _) in words)]
        ways = shown_uploads.WAYS.items()
        colleagues = models.Account.list_colleagues(provider)
        sender.choices = [
            ("", "Anybody"),
            *((way.value, text) for way, text in ways),
            *((str(each.pk), each.username) for each in colleagues),
        ]


@methods.require_http_methods(["GET", "HEAD", "POST"])
def list_uploads(request: http.HttpRequest) -> http.HttpResponse:
    """Show a page of the uploads, the latest first; a POST remembers the filter."""
    provider = roles.get_account(request).provider
    if request.method == "POST":
        typed = {} if "all" in request.POST else request.POST
        form = FilterForm(typed, provider=provider)
        if not form.is_valid():
            return _render(request, form, own_uploads.Wanted(provider=provider))
        chosen = form.cleaned_data.items()
        request.session[_FILTER] = {
            name: value.isoformat() if isinstance(value, dt.date) else value
            for name, value in chosen
            if value
        }
        return shortcuts.redirect("uploads")
    saved = request.session.get(_FILTER, {})
    form = FilterForm(saved, provider=provider)
    wanted = _read_wanted(request, form.cleaned_data if form.is_valid() else {})
    return _render(request, FilterForm(initial=saved, provider=provider), wanted)


def _render(
    request: http.HttpRequest, form: FilterForm, wanted: own_uploads.Wanted
) -> http.HttpResponse:
    page = own_uploads.list_own_uploads(recording.open_pipeline(request), wanted)
    context = {
        "uploads": shown_uploads.describe_all(page.uploads),
        "is_filtered": bool(request.session.get(_FILTER)),
        "newer": f"?before={page.uploads[0].id}" if page.has_newer else "",
        "older": f"?after={page.uploads[-1].id}" if page.has_older else "",
    }
    return faults.render_form(request, "provider/uploads.html", form, **context)


def _read_wanted(
    request: http.HttpRequest, chosen: Mapping[str, Any]
) -> own_uploads.Wanted:
    status, sender = chosen.get("status"), chosen.get("sender", "")
    is_way = sender in shown_uploads.WAYS
    return own_uploads.Wanted(
        provider=roles.get_account(request).provider,
        statuses=[history.UploadStatus(status)] if status else (),
        file_name=chosen.get("file_name", ""),
        sent_from=sender if is_way else "",
        sent_by=None if is_way or not sender else sender,
        since=_read_day(request, chosen.get("since")),
        until=_read_day(request, chosen.get("until"), days=1),
        after=request.GET.get("after"),
        before=request.GET.get("before"),
    )


def _read_day(
    request: http.HttpRequest, day: dt.date | None, *, days: int = 0
) -> dt.datetime | None:
    """Return when a day begins, or so many days later, in the time zone of pages."""
    if day is None:
        return None
    zone = recording.open_pipeline(request).zone
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), zone)
