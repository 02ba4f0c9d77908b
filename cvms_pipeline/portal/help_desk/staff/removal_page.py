"""Removing a recipient: the staff find the person and ask, a supervisor approves."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms, http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.portal.accounts import administration
from cvms_pipeline.portal.help_desk import shown_cases, visiting
from cvms_pipeline.use_cases import pipelines, providers
from cvms_pipeline.use_cases.help_desk import handling, people, reading, removal

_STALE = "Somebody else has changed the case, and nothing was done. Look at it again."
_REFUSALS: Mapping[type[Exception], str] = {
    handling.StaleCase: _STALE,
    reading.CaseClosed: "The case is closed, and nothing was done.",
    removal.RecipientUnknown: "There is no such recipient any more.",
    removal.AskedAlready: "Another case has asked for the removal of this recipient.",
    removal.RemovedAlready: (
        "This case has removed a recipient already; each further one needs its own."
    ),
    removal.NothingAsked: "No removal waits for approval in this case.",
    removal.SameAccount: "Somebody else has to approve: you have asked for it.",
    removal.ForSupervisor: "Only a supervisor may approve a removal.",
}


class SearchForm(forms.Form):
    """Whom to look for."""

    use_required_attribute = False  # the summary says what is missing
    words = forms.CharField(
        max_length=200,
        label="First and last name, or e-mail address",
        help_text="The beginning of each is enough.",
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Type a name or an e-mail address."},
    )
    provider = forms.ChoiceField(required=False, label="Loaded by")

    def __init__(self, *args: Any, pipeline: pipelines.Pipeline, **kwargs: Any) -> None:
        """Offer the providers."""
        super().__init__(*args, **kwargs)
        known = providers.list_providers(pipeline)
        field = self.fields["provider"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 # so mypy knows it
        names = [(each.slug, f"{each.name} ({each.slug})") for each in known]
        field.choices = [("", "Any provider"), *names]


@methods.require_http_methods(["GET", "HEAD", "POST"])
def find_recipient(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Show who may be meant; a POST searches, without keeping the words."""
    pipeline, person, found = visiting.find_any(request, number)
    form = SearchForm(
        request.POST or None,
        initial={"provider": found.provider or ""},
        pipeline=pipeline,
    )
    context = {
        "case": shown_cases.describe(found, is_for_staff=True),
        "is_search": form.is_valid(),
        "candidates": _list_candidates(pipeline, form, person, found),
        "form": form,
    }
    status = 422 if form.is_bound and form.errors else 200
    return shortcuts.render(request, "help_desk/removal.html", context, status=status)


@methods.require_POST
def ask(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Ask for the removal of the recipient who was found."""

    def do(pipeline: pipelines.Pipeline, count: int, **how: Any) -> None:
        recipient_id = visiting.read_id(request.POST.get("recipient"))
        removal.ask(pipeline, count, recipient_id, **how)

    done = "The removal is asked for. A supervisor, who is somebody else, approves it."
    return _decide(request, number, do, done)


@methods.require_POST
def approve(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Approve the removal; the recipient is removed at once, and logged out."""
    end = administration.end_log_in
    do = functools.partial(removal.approve, end_log_in=end)
    return _decide(request, number, do, "The recipient is removed.")


@methods.require_POST
def take_back(request: http.HttpRequest, number: str) -> http.HttpResponse:
    """Take back that the removal was asked for."""
    return _decide(request, number, removal.drop, "Nobody is to be removed any more.")


def describe(
    pipeline: pipelines.Pipeline, found: reading.CaseView, person: people.Person
) -> Mapping[str, Any]:
    """Return what the page of a case shows of its removal."""
    asked = removal.find_removal(pipeline, found.number)
    if asked is None or asked.approved_at is not None:
        return {"removal": asked}
    return {
        "removal": asked,
        "candidate": _find_candidate(pipeline, asked.recipient_id, person),
        "can_approve": person.is_supervisor and asked.asked_by != person.account_id,
    }


def _decide(
    request: http.HttpRequest, number: str, do: Callable[..., None], done: str
) -> http.HttpResponse:
    """Do what a button says, and lead back to the case; say why if it is refused."""
    pipeline, person, found = visiting.find_any(request, number)
    version = visiting.read_version(request)
    try:
        do(pipeline, found.number, by=person, version=version)
    except tuple(_REFUSALS) as error:
        messages.error(request, _REFUSALS[type(error)])
    else:
        messages.success(request, done)
    return shortcuts.redirect("desk_case", cases.format_number(found.number))


def _list_candidates(
    pipeline: pipelines.Pipeline,
    form: SearchForm,
    person: people.Person,
    found: reading.CaseView,
) -> Sequence[removal.Candidate]:
    """Return who was searched for, or else the recipient that the case is about."""
    if form.is_bound:
        if not form.is_valid():
            return []
        typed = form.cleaned_data
        return removal.list_candidates(
            pipeline,
            typed["words"].split(),
            by=person,
            provider=typed["provider"] or None,
        )
    if found.recipient_id is None:
        return []
    about = _find_candidate(pipeline, found.recipient_id, person)
    return [] if about is None else [about]


def _find_candidate(
    pipeline: pipelines.Pipeline, recipient_id: str, person: people.Person
) -> removal.Candidate | None:
    try:
        return removal.get_candidate(pipeline, recipient_id, by=person)
    except removal.RecipientUnknown:
        return None
