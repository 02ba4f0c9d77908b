"""The COVID-19 Vaccination Registration, step by step.

Where somebody is, and what was typed, is in the draft: each step is kept when it is
left, by *Next*, *Previous* or *Pause*, or shown in another language.  So none can be
skipped, and a session that ends loses nothing but what is typed on the page that is
open, which the page then keeps.
"""

from typing import Any

from django import http, shortcuts
from django.conf import settings
from django.contrib import messages
from django.utils.translation import gettext as _
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import languages
from cvms_pipeline.portal.recipient import detail_form, home, visiting
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases.recipients import registration

_Step = registration.Step
_READ = ["GET", "HEAD", "POST"]


@methods.require_safe
def resume(request: http.HttpRequest) -> http.HttpResponse:
    """Lead to the step at which the form was left; or to what was answered."""
    visit = visiting.begin(request)
    draft = visit.find_draft()
    if draft is not None:
        return _open(_Step(draft.step))
    if visit.owner.registered_at is not None:
        return shortcuts.redirect("registration_answers")
    return _open(_Step.INTRODUCTION)


@methods.require_http_methods(_READ)
def introduction(request: http.HttpRequest) -> http.HttpResponse:
    """Say what will be asked, and why."""
    visit = visiting.begin(request)
    draft = visit.find_draft()
    if request.method == "POST":
        answers = draft.answers if draft else {}
        if request.POST.get("action") == "pause":
            return _pause(request, visit, _Step.INTRODUCTION, answers)
        visit.keep(_Step.DETAIL, answers)
        return _open(_Step.DETAIL)
    if draft is None and visit.owner.registered_at is not None:
        return shortcuts.redirect("registration_answers")
    return _show(request, visit, _Step.INTRODUCTION)


@methods.require_http_methods(_READ)
def detail(request: http.HttpRequest) -> http.HttpResponse:
    """Ask for everything; what was typed is kept, right or wrong."""
    visit = visiting.begin(request)
    draft = visit.find_draft()
    if request.method != "POST":
        if draft is None or draft.step == _Step.INTRODUCTION:
            return shortcuts.redirect("registration")
        typed = {"language": _guess_spoken(visit), **draft.answers}
        form = detail_form.DetailForm(visit=visit, typed=typed)
        return _show(request, visit, _Step.DETAIL, form=form, kept=draft)
    typed = dict(detail_form.read_typed(request))
    action = request.POST.get("action")
    if action == "pause":
        return _pause(request, visit, _Step.DETAIL, typed)
    if action == "previous":
        visit.keep(_Step.INTRODUCTION, typed)
        return _open(_Step.INTRODUCTION)
    if action in dict(settings.LANGUAGES):
        visit.keep(_Step.DETAIL, typed)
        languages.choose(request, action)
        return _open(_Step.DETAIL)
    form = detail_form.DetailForm(request.POST, visit=visit)
    is_right = form.is_valid()
    visit.keep(_Step.CONFIRMATION if is_right else _Step.DETAIL, typed)
    if is_right:
        return _open(_Step.CONFIRMATION)
    return _show(request, visit, _Step.DETAIL, form=form)


@methods.require_http_methods(_READ)
def confirmation(request: http.HttpRequest) -> http.HttpResponse:
    """Show all answers once more; send them if they are still those that were shown."""
    visit = visiting.begin(request)
    draft = visit.find_draft()
    if draft is None or draft.step != _Step.CONFIRMATION:
        return _redirect_sent(request, visit)
    try:
        answers = registration.clean(visit.pipeline, draft.answers)
    except registration.AnswersInvalid:  # the settings have changed
        visit.keep(_Step.DETAIL, draft.answers)
        return _open(_Step.DETAIL)
    action = request.POST.get("action")
    if action == "pause":
        return _pause(request, visit, _Step.CONFIRMATION, draft.answers)
    if action == "previous":
        visit.keep(_Step.DETAIL, draft.answers)
        return _open(_Step.DETAIL)
    version = draft.saved_at.isoformat()
    is_stale = False
    if action == "send":
        is_stale = request.POST.get("version") != version
        if not is_stale:
            return _send(request, visit, answers)
    return _show(
        request,
        visit,
        _Step.CONFIRMATION,
        answers=home.describe(answers, visit),
        version=version,
        is_stale=is_stale,
    )


def _send(
    request: http.HttpRequest, visit: visiting.Visit, answers: registration.Answers
) -> http.HttpResponse:
    if registration.send(visit.pipeline, visit.recipient_id, answers):
        return shortcuts.redirect("registration_complete")
    messages.success(request, _("Your answers are saved."))
    return shortcuts.redirect("registration_answers")


def _redirect_sent(
    request: http.HttpRequest, visit: visiting.Visit
) -> http.HttpResponse:
    """Lead to where the form is; after a second click on the button, to its end."""
    is_sent = request.POST.get("action") == "send" and visit.find_draft() is None
    if is_sent and visit.owner.registered_at is not None:
        return shortcuts.redirect("registration_complete")
    return shortcuts.redirect("registration")


def _pause(
    request: http.HttpRequest,
    visit: visiting.Visit,
    step: registration.Step,
    answers: Any,
) -> http.HttpResponse:
    visit.keep(step, answers)
    text = _(
        "Your registration is paused, and what you typed is kept. Come back whenever"
        " you like."
    )
    messages.success(request, text)
    return shortcuts.redirect("me")


def _open(step: registration.Step) -> http.HttpResponse:
    return shortcuts.redirect(f"registration_{step.value}")


def _show(
    request: http.HttpRequest,
    visit: visiting.Visit,
    step: registration.Step,
    *,
    form: detail_form.DetailForm | None = None,
    **facts: Any,
) -> http.HttpResponse:
    number = list(_Step).index(step) + 1
    context = {"step": step.value, "number": number, "owner": visit.owner, **facts}
    context["programme"] = visit.programme
    page = f"recipient/{step.value}.html"
    if form is None:
        return shortcuts.render(request, page, context)
    context["form_has_languages"] = True  # which keep what was typed
    return faults.render_form(request, page, form, **context)


def _guess_spoken(visit: visiting.Visit) -> str:
    """Return the code of the language that is probably preferred."""
    return {"es": "spanish"}.get(visit.language.value, "english")
