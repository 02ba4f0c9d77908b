"""The first page of a recipient, and what was answered."""

from collections.abc import Sequence
from typing import NamedTuple

from django import http, shortcuts
from django.contrib import messages
from django.utils.translation import gettext as _
from django.views.decorators import http as methods

from cvms_pipeline.portal.recipient import detail_form, visiting
from cvms_pipeline.use_cases.recipients import registration


class Shown(NamedTuple):
    """An answer as its owner reads it."""

    label: str
    text: str


@methods.require_safe
def show_home(request: http.HttpRequest) -> http.HttpResponse:
    """Show the status, and what can be done next."""
    visit = visiting.begin(request)
    facts = {
        "owner": visit.owner,
        "programme": visit.programme,
        "purpose": visit.programme.purposes[visit.language],
        "is_enrolled": visit.owner.registered_at is not None,
        "draft": visit.find_draft(),
    }
    return shortcuts.render(request, "recipient/home.html", facts)


@methods.require_safe
def show_complete(request: http.HttpRequest) -> http.HttpResponse:
    """Say that the registration is complete, and what it is not."""
    visit = visiting.begin(request)
    if visit.owner.registered_at is None:
        return shortcuts.redirect("registration")
    facts = {"programme": visit.programme, "owner": visit.owner}
    return shortcuts.render(request, "recipient/complete.html", facts)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def answers(request: http.HttpRequest) -> http.HttpResponse:
    """Show what was answered; a POST begins to change it, or forgets the changes."""
    visit = visiting.begin(request)
    found = registration.get_answers(visit.pipeline, visit.recipient_id)
    if found is None:
        return shortcuts.redirect("registration")
    action = request.POST.get("action")
    if action == "change":
        typed = {name: getattr(found, name) for name in detail_form.NAMES}
        visit.keep(registration.Step.DETAIL, typed)
        return shortcuts.redirect("registration_detail")
    if action == "forget":
        registration.drop_draft(visit.pipeline, visit.recipient_id)
        messages.success(request, _("Your changes are forgotten. Nothing was sent."))
        return shortcuts.redirect("me")
    facts = {
        "owner": visit.owner,
        "answers": describe(found, visit),
        "draft": visit.find_draft(),
    }
    return shortcuts.render(request, "recipient/answers.html", facts)


def describe(found: registration.Answers, visit: visiting.Visit) -> Sequence[Shown]:
    """Return answers in the words of the form, in its order."""
    form = detail_form.DetailForm(visit=visit)
    return [
        Shown(str(form.fields[name].label), form.describe(name, getattr(found, name)))
        for name in detail_form.NAMES
    ]
