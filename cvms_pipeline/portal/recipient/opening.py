"""The pages behind the link of an invitation: set a password, or say "This is not me".

Only what somebody has typed uses a link or ends it: programs that look into mail open
links and press buttons, but type nothing.
"""

from typing import Any

from allauth.account import utils
from allauth.core import ratelimit
from django import http, shortcuts
from django.utils import translation
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import (
    forms,
    held_links,
    languages,
    models,
    recording,
)
from cvms_pipeline.portal.recipient import link_forms, passwords
from cvms_pipeline.portal.site import faults
from cvms_pipeline.use_cases import pipelines
from cvms_pipeline.use_cases.recipients import access

_TOKEN = "cvms_recipient_token"  # noqa: S105  # a key of the session


@methods.require_safe
def open_link(request: http.HttpRequest, token: str) -> http.HttpResponse:
    """Take the token out of the address, which others may see or log."""
    return held_links.open_page(request, _TOKEN, token, "recipient_password")


@methods.require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: http.HttpRequest) -> http.HttpResponseBase:
    """Ask for the username and a password; only the POST with both uses the link."""
    pipeline, token = recording.open_pipeline(request), held_links.read(request, _TOKEN)
    try:
        owner = access.check_link(pipeline, token)
        form = link_forms.PasswordForm(request.POST or None, owner=owner)
        if form.is_valid():
            if not ratelimit.consume(request, action="set_password"):
                return faults.too_many(request)
            typed = form.cleaned_data
            account = passwords.set_password(
                pipeline, token, typed["username"], typed["password"]
            )
            return _log_in(request, pipeline, owner, account)
    except access.WrongUsername:
        form.refuse_username()
    except access.LinkEnded as ended:
        return _show_end(request, ended.why)
    facts = {"system": languages.get_programme_name()}
    return faults.render_form(request, "recipient/set_password.html", form, **facts)


@methods.require_http_methods(["GET", "HEAD", "POST"])
def deny(request: http.HttpRequest) -> http.HttpResponse:
    """Take from somebody with a link that he or she is not the recipient."""
    pipeline, token = recording.open_pipeline(request), held_links.read(request, _TOKEN)
    try:
        owner = access.check_link(pipeline, token)
        form = link_forms.NotMeForm(request.POST or None, owner=owner)
        if form.is_valid():
            if not ratelimit.consume(request, action="set_password"):
                return faults.too_many(request)
            access.deny_address(pipeline, token)
            request.session.pop(_TOKEN, None)
            return shortcuts.redirect("not_me_told")
    except access.LinkEnded as ended:
        return _show_end(request, ended.why)
    facts = {"system": languages.get_programme_name()}
    return faults.render_form(request, "recipient/not_me.html", form, **facts)


@methods.require_safe
def show_told(request: http.HttpRequest) -> http.HttpResponse:
    """Say what happens next."""
    facts = {"system": languages.get_programme_name()}
    return shortcuts.render(request, "recipient/not_me_told.html", facts)


def _log_in(
    request: http.HttpRequest,
    pipeline: pipelines.Pipeline,
    owner: access.Owner,
    account: models.Account,
) -> http.HttpResponseBase:
    """Log in whoever has set a password; an own second factor is asked for."""
    request.session.pop(_TOKEN, None)
    spoken = owner.language or translation.get_language()
    access.set_language(pipeline, owner.recipient_id, spoken)
    response: http.HttpResponseBase = utils.perform_login(
        request, account, redirect_url="/me/"
    )
    request.session[languages.CHOSEN] = spoken
    return response


def _show_end(request: http.HttpRequest, why: access.Why) -> http.HttpResponse:
    """Say why a link does not work, and offer another one where one can help."""
    facts: dict[str, Any] = {"why": why.value, "form": forms.ForgotForm()}
    facts["system"] = languages.get_programme_name()
    return shortcuts.render(request, "recipient/link_ended.html", facts, status=410)
