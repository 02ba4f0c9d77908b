"""Whom single sign-on logs in: an account that exists, by its verified address.

Whoever has several accounts with that address is asked for one of them.

Nothing of what the service says is stored, so a disabled account is disabled, and an
address that is taken from somebody opens nothing any more.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from allauth.core import exceptions
from allauth.socialaccount import adapter
from django import http, shortcuts

from cvms_pipeline.portal.accounts import models, recording
from cvms_pipeline.portal.single_sign_on import claims
from cvms_pipeline.use_cases import accounts

if TYPE_CHECKING:
    from django.db.models import QuerySet

_CHOICE = "cvms_sso_choice"
_CHOICE_SECONDS = 600


class Adapter(adapter.DefaultSocialAccountAdapter):
    """Our answers to allauth."""

    def is_open_for_signup(self, _request: http.HttpRequest, _login: Any) -> bool:
        """Return False: accounts are added by data-ops and by colleagues."""
        return False

    def pre_social_login(self, request: http.HttpRequest, sociallogin: Any) -> None:
        """Log in the account that has the address, or nobody."""
        if sociallogin.state.get("process", "login") != "login":
            refuse(request, "failed")
        addresses = claims.list_verified_addresses(sociallogin)
        known = models.Account.objects.filter(is_active=True).exclude(
            role=models.Role.RECIPIENT
        )
        found = [each for a in addresses for each in known.filter(email__iexact=a)]
        if not found:
            refuse(request, "unknown")
        if len(found) > 1:
            _ask_which(request, sociallogin, found)
        sociallogin.user = found[0]

    def on_authentication_error(
        self, request: http.HttpRequest, *_: Any, **__: Any
    ) -> None:
        """Say that the log-in was not finished."""
        refuse(request, "failed")


def take_choice(request: http.HttpRequest, username: str) -> Any | None:
    """Return the log-in that waits for this choice, once; None if none does."""
    known = list_choices(request).filter(username=username).first()
    if known is None:
        return None
    from allauth.socialaccount.models import SocialLogin

    login = SocialLogin.deserialize(request.session.pop(_CHOICE)["login"])
    login.user = known
    return login


def list_choices(request: http.HttpRequest) -> "QuerySet[models.Account]":
    """Return the accounts of whom somebody has to choose one."""
    waiting = request.session.get(_CHOICE, {"until": 0, "accounts": []})
    is_over = time.time() > waiting["until"]
    ids = [] if is_over else waiting["accounts"]
    return models.Account.objects.filter(pk__in=ids, is_active=True).order_by(
        "username"
    )


def _ask_which(
    request: http.HttpRequest, login: Any, found: Sequence[models.Account]
) -> NoReturn:
    """Remember who has proven to be whom, and lead to the choice."""
    request.session[_CHOICE] = {
        "accounts": [str(each.pk) for each in found],
        "login": login.serialize(),
        "until": time.time() + _CHOICE_SECONDS,
    }
    raise exceptions.ImmediateHttpResponse(shortcuts.redirect("sso_choose"))


def refuse(request: http.HttpRequest, reason: str) -> NoReturn:
    """Record and say that nobody is logged in."""
    event = accounts.Event.LOG_IN_REFUSED
    recording.record(request, event, None, because="single-sign-on")
    page = shortcuts.render(
        request, "accounts/sso_refused.html", {"reason": reason}, status=403
    )
    raise exceptions.ImmediateHttpResponse(page)
