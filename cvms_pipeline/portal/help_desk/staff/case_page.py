"""The page of a case for the staff: what it shows, whoever has sent which form."""

from collections.abc import Mapping
from typing import Any

from django import forms, http, shortcuts
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import recording
from cvms_pipeline.portal.help_desk import shown_cases, visiting
from cvms_pipeline.portal.help_desk.staff import desk_forms, presence, removal_page
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import onboarding, people, reading

_NOTHING: Mapping[str, forms.Form] = {}
_FORMS: Mapping[str, type[desk_forms.VersionedForm]] = {
    "handle_form": desk_forms.HandleForm,
    "reply_form": desk_forms.StaffReplyForm,
    "note_form": desk_forms.NoteForm,
    "onboard_form": desk_forms.OnboardForm,
    "refuse_form": desk_forms.RefuseForm,
}
"""The forms of the page, by their names in the template."""


@methods.require_safe
def show_case(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Show one case with all that can be done about it."""
    _, person, found = visiting.find_any(request, number)
    return show(request, person, found)


@methods.require_safe
def show_looking(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Say who else looks at the case; the page asks for it by itself."""
    person = visiting.read_person(request)
    others = presence.note_looking(visiting.read_number(number), person.account_id)
    return shortcuts.render(request, "help_desk/looking.html", {"others": others})


@methods.require_safe
def download_file(
    request: http.HttpRequest, number: str, file_id: str
) -> http.HttpResponse:
    """Send an attached file, to be saved."""
    pipeline, person = recording.open_pipeline(request), visiting.read_person(request)
    return visiting.send_file(pipeline, visiting.read_number(number), file_id, person)


def make_form(
    name: str,
    found: reading.CaseView,
    typed: Mapping[str, Any] | None = None,
    **more: str,
) -> desk_forms.VersionedForm:
    """Return a form of the page, with what was typed or with what the case is."""
    shown = {
        "version": found.version,
        "assignee": found.assignee or "",
        "state": cases.State.WAITING if name == "reply_form" else found.state,
        "priority": found.priority.value,
        **more,
    }
    prefix = name.removesuffix("_form")
    return _FORMS[name](typed, initial=shown, case=found, auto_id=f"{prefix}_%s")


def show(
    request: http.HttpRequest,
    person: people.Person,
    found: reading.CaseView,
    *,
    typed: Mapping[str, forms.Form] = _NOTHING,
    is_stale: bool = False,
) -> http.HttpResponse:
    """Return the page; `typed` is the form that was sent and not taken, by its name."""
    wrong = next(iter(typed.values()), None)
    pipeline = recording.open_pipeline(request)
    context = {
        "case": shown_cases.describe(found, is_for_staff=True),
        "others": presence.note_looking(found.number, person.account_id),
        "uploads": shown_cases.describe_uploads(pipeline, found),
        "is_closed": found.state is cases.State.CLOSED,
        "is_desk": True,
        "file_route": "desk_file",
        "stale": is_stale,
        "form": wrong,
        **{name: make_form(name, found) for name in _FORMS},
        **_describe_decision(pipeline, found, person),
        **typed,
    }
    status = 409 if is_stale else 422 if wrong is not None else 200
    return shortcuts.render(request, "help_desk/desk_case.html", context, status=status)


def _describe_decision(
    pipeline: pipelines.Pipeline, found: reading.CaseView, person: people.Person
) -> Mapping[str, Any]:
    """Return what the page shows of what a supervisor decides."""
    if found.kind is cases.Kind.REMOVAL:
        return removal_page.describe(pipeline, found, person)
    if found.kind is not cases.Kind.ONBOARDING or not found.state.is_open:
        return {}
    slug = found.provider or onboarding.suggest_slug(pipeline, found.organisation)
    return {
        "is_undecided": True,
        "is_supervisor": person.is_supervisor,
        "is_pin_taken": found.provider is None
        and onboarding.is_pin_taken(pipeline, found.vfc_pin),
        "onboard_form": make_form("onboard_form", found, slug=slug),
    }


def show_stale(
    request: http.HttpRequest, person: people.Person, number: str, name: str
) -> http.HttpResponse:
    """Return the page after a stale save: what was typed, beside what has changed.

    The form is shown with the version that the case has now, so that it can be sent
    again after both were read.
    """
    _, _, found = visiting.find_any(request, number)
    typed = request.POST.copy()
    typed["version"] = str(found.version)
    form = make_form(name, found, typed)
    return show(request, person, found, typed={name: form}, is_stale=True)
