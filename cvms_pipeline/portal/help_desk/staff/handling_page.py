"""What the staff do to a case with the forms on its page; each leads back to it.

A form that was shown before somebody else has changed the case is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django import http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import models
from cvms_pipeline.portal.help_desk import visiting
from cvms_pipeline.portal.help_desk.staff import case_page, desk_forms
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import handling, people, reading

_REFUSALS: Mapping[type[Exception], str] = {
    reading.CaseClosed: (
        "The case is closed, so there is nobody to reply to. Write a note."
    )
}


@methods.require_POST
def handle(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Assign the case, and set its state and priority."""
    return save(request, number, "handle_form", _handle, "The case is saved.")


@methods.require_POST
def reply(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Reply to the requester."""
    return save(request, number, "reply_form", _reply, "The reply is sent.")


@methods.require_POST
def write_note(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Write an internal note."""
    return save(request, number, "note_form", _write_note, "The note is saved.")


def save(
    request: http.HttpRequest,
    number: str,
    name: str,
    do: Callable[..., None],
    done: str,
    *,
    refusals: Mapping[type[Exception], str] = _REFUSALS,
) -> http.HttpResponse:
    """Do what a form says, and lead back to the case; `do` gets the form and who.

    `refusals` are the texts of the errors with which `do` refuses.
    """
    pipeline, person, found = visiting.find_any(request, number)
    form = case_page.make_form(name, found, request.POST)
    if form.is_valid():
        try:
            do(pipeline, found, form, person)
        except handling.StaleCase:
            return case_page.show_stale(request, person, number, name)
        except tuple(refusals) as error:
            known = (text for kind, text in refusals.items() if isinstance(error, kind))
            form.add_error(None, next(known))
    if not form.is_valid():
        return case_page.show(request, person, found, typed={name: form})
    messages.success(request, done)
    return shortcuts.redirect("desk_case", cases.format_number(found.number))


def _handle(
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    form: desk_forms.HandleForm,
    person: people.Person,
) -> None:
    typed = form.cleaned_data
    handling.handle(
        pipeline,
        found.number,
        to=_find_assignee(typed["assignee"]),
        priority=cases.Priority(int(typed["priority"])),
        state=cases.State(typed["state"]),
        by=person,
        version=typed["version"],
    )


def _find_assignee(account_id: str) -> people.Person | None:
    if not account_id:
        return None
    return models.Account.objects.get(pk=account_id).person


def _reply(
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    form: desk_forms.StaffReplyForm,
    person: people.Person,
) -> None:
    handling.reply_as_staff(
        pipeline,
        found.number,
        form.cleaned_data["text"],
        state=cases.State(form.cleaned_data["state"]),
        **_describe(form, person),
    )


def _write_note(
    pipeline: pipelines.Pipeline,
    found: reading.CaseView,
    form: desk_forms.NoteForm,
    person: people.Person,
) -> None:
    text = form.cleaned_data["text"]
    handling.write_note(pipeline, found.number, text, **_describe(form, person))


def _describe(form: desk_forms.VersionedForm, person: people.Person) -> dict[str, Any]:
    """Return who sends a form, the version that it was shown with, and its key."""
    return {
        "by": person,
        "version": form.cleaned_data["version"],
        "key": form.choose_key(person),
    }
