"""The team page: colleagues of one provider, who invite and disable one another."""

from typing import Any

from allauth.core import ratelimit
from django import http, shortcuts
from django.contrib import messages
from django.views.decorators import http as methods

from cvms_pipeline.portal.accounts import (
    administration,
    forms,
    models,
    recording,
    roles,
)
from cvms_pipeline.portal.site import faults


@methods.require_http_methods(["GET", "HEAD", "POST"])
def team(request: http.HttpRequest) -> http.HttpResponse:
    """List the colleagues; a POST invites another one."""
    form = forms.InviteForm(request.POST or None)
    colleagues = models.Account.list_colleagues(roles.get_account(request).provider)
    if form.is_valid():
        address = form.cleaned_data["address"].lower()
        if colleagues.filter(email__iexact=address).exists():
            form.add_error("address", "This colleague has an account already.")
        elif not ratelimit.consume(request, action="invite"):
            return faults.too_many(request)
        else:
            return _invite(request, address)
    context = {"colleagues": colleagues}
    return faults.render_form(request, "accounts/team.html", form, **context)


def _invite(request: http.HttpRequest, address: str) -> http.HttpResponse:
    pipeline = recording.open_pipeline(request)
    provider = roles.get_account(request).provider
    account = administration.add_account(
        pipeline, address, role=models.Role.PROVIDER, provider=provider
    )
    administration.send_link(pipeline, account)
    text = f"{address} gets a message with a link to set a password."
    messages.success(request, text)
    return shortcuts.redirect("team")


@methods.require_POST
def change_colleague(request: http.HttpRequest, account_id: Any) -> http.HttpResponse:
    """Disable a colleague, enable one again, or send a new link."""
    colleagues = models.Account.list_colleagues(roles.get_account(request).provider)
    account = shortcuts.get_object_or_404(colleagues, pk=account_id)
    action = request.POST.get("action")
    if account.pk == roles.get_account(request).pk:
        messages.error(request, "Ask a colleague to change your own account.")
    elif action == "disable":
        administration.disable(recording.open_pipeline(request), account)
        messages.success(request, f"{account.username} can no longer log in.")
    elif action == "enable":
        administration.enable(recording.open_pipeline(request), account)
        messages.success(request, f"{account.username} can log in again.")
    elif action == "link" and account.is_active:
        _send_again(request, account)
    return shortcuts.redirect("team")


def _send_again(request: http.HttpRequest, account: models.Account) -> None:
    key = account.username
    if not ratelimit.consume(request, action="account_messages", key=key):
        text = f"{account.username} was sent several links already. Wait an hour."
        messages.error(request, text)
        return
    administration.send_link(recording.open_pipeline(request), account)
    messages.success(request, f"{account.username} gets a new link.")
