"""The pages of the cases of a requester or provider: the list, one case, its forms."""

from collections.abc import Callable, Mapping

from allauth.core import ratelimit
from django import forms, http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import models, recording, roles
from cvms_pipeline.portal.help_desk import case_forms, shown_cases, visiting
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.help_desk import answering, people, reading

_CLOSED = "The case is closed, so nothing was added. Open a new one."
_NOTES = {
    cases.State.NEW: "The help desk has it, and has not begun yet.",
    cases.State.IN_PROGRESS: "The help desk works on it.",
    cases.State.WAITING: "The help desk waits for your answer.",
    cases.State.RESOLVED: "It is done. If something is missing, reply.",
}
"""What a state means for the requester."""

_NOTHING: Mapping[str, forms.Form] = {}


@methods.require_safe
def list_cases(request: http.HttpRequest) -> http.HttpResponse:
    """Show the cases of whoever is logged in, the latest first."""
    page = reading.list_own_cases(
        recording.open_pipeline(request),
        by=visiting.read_person(request),
        **visiting.read_place(request),
    )
    context = {
        "cases": shown_cases.describe_lines(page.lines),
        **visiting.describe_place(page),
    }
    return shortcuts.render(request, "help_desk/cases.html", context)


@methods.require_safe
def show_case(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Show one case; staff are led to their page of it."""
    if roles.get_account(request).role == models.Role.HELP_DESK:
        return shortcuts.redirect("desk_case", number)
    return _show(request, number)


@methods.require_safe
def download_file(
    request: http.HttpRequest, number: str, file_id: str
) -> http.HttpResponse:
    """Send an attached file, to be saved."""
    pipeline, person, found = visiting.find_own(request, number)
    return visiting.send_file(pipeline, found.number, file_id, person)


@methods.require_POST
def reply(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Add a text to the case."""
    form = case_forms.ReplyForm(request.POST)

    def send(
        pipeline: pipelines.Pipeline, number: int, by: people.Person, key: str
    ) -> None:
        text = form.cleaned_data["text"]
        answering.reply(pipeline, number, text, by=by, key=key)

    return _answer(request, number, ("reply_form", form), send, "Your reply is sent.")


@methods.require_POST
def add_file(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Add a file to the case."""
    form = case_forms.FileForm(request.POST, request.FILES)

    def send(
        pipeline: pipelines.Pipeline, number: int, by: people.Person, key: str
    ) -> None:
        file = case_forms.read_file(form.cleaned_data["file"])
        answering.add_file(pipeline, number, file, by=by, key=key)

    return _answer(request, number, ("file_form", form), send, "The file is added.")


@methods.require_POST
def close(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Close the case."""
    form = case_forms.KeyedForm(request.POST)

    def send(
        pipeline: pipelines.Pipeline, number: int, by: people.Person, key: str
    ) -> None:
        answering.close(pipeline, number, by=by, key=key)

    return _answer(request, number, ("close_form", form), send, "The case is closed.")


def _answer(
    request: http.HttpRequest,
    number: str,
    sent: tuple[str, case_forms.KeyedForm],
    send: Callable[[pipelines.Pipeline, int, people.Person, str], None],
    done: str,
) -> http.HttpResponse:
    """Send what was typed into a form, and lead back to the case."""
    pipeline, person, found = visiting.find_own(request, number)
    name, form = sent
    if form.is_valid() and not ratelimit.consume(request, action="case_answer"):
        return faults.too_many(request)
    if form.is_valid():
        key = form.choose_key(person)
        try:
            send(pipeline, found.number, person, key)
        except reading.CaseClosed:
            form.add_error(None, _CLOSED)
        except answering.FileInvalid as error:
            form.add_error("file", str(error))
    if not form.is_valid():
        return _show(request, number, typed={name: form})
    messages.success(request, done)
    return shortcuts.redirect("case", cases.format_number(found.number))


def _show(
    request: http.HttpRequest,
    number: str,
    *,
    typed: Mapping[str, forms.Form] = _NOTHING,
) -> http.HttpResponse:
    """Return the page; `typed` is the form that was sent and not taken, by its name."""
    pipeline, _, found = visiting.find_own(request, number)
    wrong = next(iter(typed.values()), None)
    context = {
        "case": shown_cases.describe(found, is_for_staff=False),
        "note": _NOTES.get(found.state, ""),
        "uploads": shown_cases.describe_uploads(pipeline, found),
        "is_closed": found.state is cases.State.CLOSED,
        "file_route": "own_file",
        "form": wrong,
        "reply_form": case_forms.ReplyForm(auto_id="reply_%s"),
        "file_form": case_forms.FileForm(auto_id="file_%s"),
        "close_form": case_forms.KeyedForm(auto_id="close_%s"),
        **typed,
    }
    status = 200 if wrong is None else 422
    return shortcuts.render(request, "help_desk/case.html", context, status=status)
