"""The form HCP Onboarding & Recipient Bulk Upload, by which a case is opened.

For providers it is filled in; from a rejected row or from a recipient it begins with
what it is about, of which no personal data is in the address.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from allauth.core import ratelimit
from django import http, shortcuts
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases, reasons
from cvms_pipeline.portal.accounts import recording, roles
from cvms_pipeline.portal.help_desk import case_forms, shown_cases, visiting
from cvms_pipeline.portal.site import faults, limits
from cvms_pipeline.use_cases import history, pipelines, providers
from cvms_pipeline.use_cases.help_desk import opening, people
from cvms_pipeline.use_cases.provider_actions import loaded_recipients

_TOO_OFTEN = (
    f"You have opened {limits.MAX_CASES_PER_HOUR} cases in an hour. Try again in an"
    " hour, or reply to a case that is open."
)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def new_case(request: http.HttpRequest) -> http.HttpResponse:
    """Show the form; a POST opens a case."""
    pipeline, person = recording.open_pipeline(request), visiting.read_person(request)
    if request.method != "POST":
        filled = _fill_in(request, pipeline, person)
        form = case_forms.RequestForm(initial=filled)
        return _show(request, form, _describe_subject(request, filled))
    form = case_forms.RequestForm(request.POST, request.FILES)
    about = _describe_subject(request, request.POST)
    if form.is_valid():
        form.add_problems(
            opening.check_request(pipeline, form.make_request(), by=person)
        )
    if form.is_valid() and not ratelimit.consume(request, action="case"):
        form.add_error(None, _TOO_OFTEN)
    if not form.is_valid():
        return _show(request, form, about)
    key = form.choose_key(person)
    opened = opening.open_case(pipeline, form.make_request(), by=person, key=key)
    return shortcuts.redirect("case_opened", cases.format_number(opened.number))


@methods.require_safe
def show_opened(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Say which number a new case has, and what happens next."""
    _, _, found = visiting.find_own(request, number)
    context = {"case": shown_cases.describe(found, is_for_staff=False)}
    return shortcuts.render(request, "help_desk/opened.html", context)


def _show(
    request: http.HttpRequest, form: case_forms.RequestForm, about: Sequence[str]
) -> http.HttpResponse:
    return faults.render_form(request, "help_desk/new.html", form, about=about)


def _fill_in(
    request: http.HttpRequest, pipeline: pipelines.Pipeline, person: people.Person
) -> Mapping[str, Any]:
    """Return what the form begins with: who asks, and what the case is about."""
    account, asked = roles.get_account(request), request.GET
    filled: dict[str, Any] = {
        "name": account.name if account.first_name else "",
        "email": account.email,
        **{name: asked.get(name, "") for name in ("upload", "line", "recipient")},
    }
    if filled["recipient"]:
        filled["kind"] = cases.Kind.REMOVAL
    elif filled["upload"]:
        filled["kind"] = cases.Kind.BULK_UPLOAD
    if person.provider:
        facts = providers.get_provider(pipeline, person.provider).facts
        filled |= {"vfc_pin": facts.vfc_pin, "organisation": facts.name}
    return filled


def _describe_subject(
    request: http.HttpRequest, values: Mapping[str, Any]
) -> Sequence[str]:
    """Return what the case is about, in sentences; 404 if it is not one's own."""
    pipeline = recording.open_pipeline(request)
    provider = roles.get_account(request).provider
    recipient_id, upload_id = values.get("recipient"), values.get("upload")
    if not (recipient_id or upload_id):
        return []
    if not provider:
        raise http.Http404
    try:
        if recipient_id:
            return _describe_recipient(pipeline, str(recipient_id), provider)
        return _describe_line(pipeline, str(upload_id), values.get("line"), provider)
    except (loaded_recipients.RecipientUnknown, history.UploadUnknown, ValueError):
        raise http.Http404 from None


def _describe_recipient(
    pipeline: pipelines.Pipeline, recipient_id: str, provider: str
) -> Sequence[str]:
    found = loaded_recipients.get_recipient(
        pipeline, str(uuid.UUID(recipient_id)), provider=provider
    )
    born = f"{found.birth_date:%m/%d/%Y}"
    return [f"About {found.first_name} {found.last_name}, born {born}."]


def _describe_line(
    pipeline: pipelines.Pipeline, upload_id: str, line: Any, provider: str
) -> Sequence[str]:
    """Return which upload and line it is, and why the line was rejected."""
    found = history.get_upload(pipeline, upload_id, provider=provider)
    if not line:
        return [f"About {found.file_name}."]
    rows = history.read_rejected_rows(pipeline, found)
    if int(line) not in rows.index:
        raise ValueError
    codes = str(rows.loc[int(line), "codes"]).split(",")
    why = [reasons.REASONS[code].sentence for code in codes]
    return [f"About line {int(line):,} of {found.file_name}, which was rejected:", *why]
