"""The pages of the accounts that are ours: links, passwords, sessions, the gate.

Log-in, log-out and second factors are allauth's views, with our templates.
"""

import time

from allauth.core import ratelimit
from django import http, shortcuts
from django.contrib import messages
from django.utils.translation import gettext as _
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import (
    administration,
    forms,
    held_links,
    middleware,
    models,
    recording,
    roles,
)
from cvms_pipeline.portal.site import faults, pace
from cvms_pipeline.use_cases import accounts
from cvms_pipeline.use_cases.recipients import access

_TOKEN = "cvms_link_token"  # noqa: S105  # a key of the session
_FIRST_PAGES = {
    models.Role.PROVIDER: "bulk",
    models.Role.REQUESTER: "cases",
    models.Role.HELP_DESK: "queue",
    models.Role.RECIPIENT: "me",
}
"""The first page of an account by its role; that of data-ops is here."""


@methods.require_http_methods(["GET", "HEAD", "POST"])
def forgot(request: http.HttpRequest) -> http.HttpResponse:
    """Ask for the username or the address, and send a link if there is an account.

    Text, status and time of the answer are the same for everybody.
    """
    form = forms.ForgotForm(request.POST or None)
    if not form.is_valid():
        return faults.render_form(request, "accounts/forgot.html", form)
    if not ratelimit.consume(request, action="reset_password"):
        return faults.too_many(request)
    with pace.answer_alike():
        _send_forgotten(request, form.cleaned_data["username"].strip().lower())
    return shortcuts.redirect("forgot_sent")


def _send_forgotten(request: http.HttpRequest, username: str) -> None:
    """Send links to an account, and to recipients with this username or address."""
    if not ratelimit.consume(request, action="account_messages", key=username):
        return
    known = models.Account.objects.exclude(role=models.Role.RECIPIENT)
    account = known.filter(username=username, is_active=True).first()
    pipeline = recording.open_pipeline(request)
    access.ask_links(pipeline, username)
    if account is not None:
        reason = administration.LinkReason.FORGOTTEN
        administration.send_link(pipeline, account, reason)


@methods.require_safe
def forgot_sent(request: http.HttpRequest) -> http.HttpResponse:
    """Say what happens next."""
    return shortcuts.render(request, "accounts/forgot_sent.html")


@methods.require_safe
def open_link(request: http.HttpRequest, token: str) -> http.HttpResponse:
    """Take the token out of the address, which others may see or log."""
    return held_links.open_page(request, _TOKEN, token, "set_password")


@methods.require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: http.HttpRequest) -> http.HttpResponse:
    """Set the password; only the POST uses the link, however often it is opened."""
    pipeline = recording.open_pipeline(request)
    try:
        account = administration.find_by_link(
            pipeline, held_links.read(request, _TOKEN)
        )
    except administration.LINK_ERRORS:
        return shortcuts.render(request, "accounts/dead_link.html", status=410)
    form = forms.SetPasswordForm(request.POST or None, account=account)
    if not form.is_valid():
        return faults.render_form(request, "accounts/set_password.html", form)
    if not ratelimit.consume(request, action="set_password"):
        return faults.too_many(request)
    if not account.set_password_by_link(form.cleaned_data["password"]):
        return shortcuts.render(request, "accounts/dead_link.html", status=410)
    middleware.end_sessions(account)
    recording.record(request, accounts.Event.PASSWORD_SET, account)
    request.session.flush()
    messages.success(request, _("Your password is set. Log in with it."))
    return shortcuts.redirect("account_login")


@methods.require_http_methods(["GET", "HEAD", "POST"])
def session(request: http.HttpRequest) -> http.HttpResponse:
    """Say how many seconds the session has left; a POST extends it."""
    if request.method == "POST":
        middleware.note_use(request)
    left = middleware.get_seconds_left(request, time.time())
    return http.JsonResponse({"seconds": int(left)})


@methods.require_safe
def dagster_gate(request: http.HttpRequest) -> http.HttpResponse:
    """Answer a proxy's question whether a request may reach the Dagster UI.

    Only when a person opens a page is it something done: Dagster's own pages ask for
    news all the time, which extends no session.
    """
    account = request.user
    if not isinstance(account, models.Account) or (
        not middleware.has_required_factor(account, request.session)
    ):
        return shortcuts.render(request, "accounts/gate.html", status=401)
    if account.role != models.Role.DATA_OPS:
        return shortcuts.render(request, "accounts/gate.html", status=403)
    if request.headers.get("Sec-Fetch-Mode") == "navigate":
        middleware.note_use(request)
    response = http.HttpResponse(status=204)
    response["X-Cvms-User"] = account.username
    response["X-Cvms-Access"] = "read" if account.is_read_only else "write"
    return response


@methods.require_safe
def home(request: http.HttpRequest) -> http.HttpResponse:
    """Open the first page of the account's role."""
    first = _FIRST_PAGES.get(models.Role(roles.get_account(request).role))
    if first is not None:
        return shortcuts.redirect(first)
    return shortcuts.render(request, "accounts/data_ops.html")
