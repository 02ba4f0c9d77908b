"""What every request passes: how long sessions live, and who may open which page."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from allauth.mfa import utils as mfa_utils
from allauth.mfa.models import Authenticator
from django import http, shortcuts
from django.contrib import auth, messages
from django.contrib.auth.views import redirect_to_login
from django.utils.translation import gettext as _

from cvms_pipeline.portal.accounts import adapters, roles
from cvms_pipeline.portal.site import faults, limits

SEEN = "cvms_seen"
PROVEN = "cvms_factor_proven"
"""The key in a session of whether single sign-on has proven a second factor."""

_GRAIN_SECONDS = 10
"""How exactly the last request is remembered: each time costs one write."""

_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_Next = Callable[[http.HttpRequest], http.HttpResponse]


def get_idle_seconds(account: Any) -> int:
    """Return how long somebody's session lives without a request."""
    is_recipient = getattr(account, "recipient", None) is not None
    return limits.RECIPIENT_IDLE_SECONDS if is_recipient else limits.IDLE_SECONDS


def get_seconds_left(request: http.HttpRequest, now: float) -> float:
    """Return how long a session will live if nothing more is done."""
    session, idle = request.session, get_idle_seconds(request.user)
    started = float(session.get(limits.STARTED, now))
    seen = float(session.get(SEEN, now))
    return min(started + limits.MAX_SESSION_SECONDS - now, seen + idle - now)


def note_use(request: http.HttpRequest) -> None:
    """Remember that a person uses the session now."""
    now = time.time()
    request.session.setdefault(limits.STARTED, now)
    request.session[SEEN] = now
    request.session.set_expiry(get_idle_seconds(request.user))


def has_required_factor(account: Any, session: Mapping[str, Any]) -> bool:
    """Return whether the account has a second factor, if it needs one."""
    if not account.needs_second_factor or session.get(PROVEN):
        return True
    return bool(mfa_utils.is_mfa_enabled(account, _FACTORS))


class SessionLimits:
    """Ends sessions that are over, and remembers the last request of the others."""

    def __init__(self, get_response: _Next) -> None:
        """Take the rest of the chain."""
        self._get_response = get_response

    def __call__(self, request: http.HttpRequest) -> http.HttpResponse:
        """Answer a request."""
        account = request.user
        if account.is_authenticated and self._is_over(request):
            text = _describe_end(get_idle_seconds(account) // 60)
            auth.logout(request)
            messages.warning(request, text)
        was_known = account.is_authenticated
        response = self._get_response(request)
        if not was_known and request.user.is_authenticated:
            adapters.remember_device(response, request.user)
        return response

    def _is_over(self, request: http.HttpRequest) -> bool:
        return get_seconds_left(request, time.time()) <= 0

    def process_view(
        self, request: http.HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> None:
        """Remember that a person has done something."""
        if not request.user.is_authenticated or roles.is_polled(view):
            return
        if time.time() - request.session.get(SEEN, 0) >= _GRAIN_SECONDS:
            note_use(request)


def _describe_end(minutes: int) -> str:
    text = _(
        "You were logged out, because nothing was done for %(minutes)s minutes."
        " Log in again."
    )
    return text % {"minutes": minutes}


class Gate:
    """Opens a page to those who may, and to nobody else."""

    def __init__(self, get_response: _Next) -> None:
        """Take the rest of the chain."""
        self._get_response = get_response

    def __call__(self, request: http.HttpRequest) -> http.HttpResponse:
        """Answer a request."""
        return self._get_response(request)

    def process_view(
        self, request: http.HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> http.HttpResponseBase | None:
        """Return an answer in place of the page, or None to open it."""
        allowed = roles.get_roles(view)
        if allowed == roles.EVERYBODY:
            return None
        account = request.user
        if not account.is_authenticated:
            if request.method == "POST":
                return faults.render_unsent(request, "portal/logged_out.html", 403)
            return redirect_to_login(request.get_full_path())
        if account.role not in allowed:
            raise http.Http404
        if roles.is_before_second_factor(view):
            return None
        if has_required_factor(account, request.session):
            return None
        return shortcuts.redirect("mfa_index")


def end_sessions(account: Any, *, but: str | None = None) -> int:
    """End the sessions of an account except `but`; return how many there were."""
    from allauth.usersessions.models import UserSession

    found = UserSession.objects.filter(user=account).exclude(session_key=but or "")
    count = 0
    for session in found:
        session.end()
        count += 1
    return count
