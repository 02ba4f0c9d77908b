"""What allauth asks us: where to go, whom to believe, and in which words.

Its log-in, second factors and limits are used as they are.
"""

import base64
import hashlib
import time
from typing import Any

from allauth.account import adapter as account_adapter
from allauth.core import context
from allauth.mfa import adapter as mfa_adapter
from cryptography import fernet
from django import http
from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.portal.site import configuration, limits

_DEVICE_SALT = "cvms.device"
_DAY_SECONDS = 24 * 3600
_FACTORS = "second factors"


class AccountAdapter(account_adapter.DefaultAccountAdapter):
    """Log-in and log-out."""

    error_messages = {  # noqa: RUF012  # allauth reads it so
        **account_adapter.DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("The username or the password is wrong."),
        "too_many_login_attempts": _(
            "There were too many attempts. Wait ten minutes, or set a new password."
        ),
        "incorrect_password": _("The password is wrong."),
        "invalid_login": _("The username or the password is wrong."),
    }

    def is_open_for_signup(self, _request: http.HttpRequest) -> bool:
        """Return False: accounts are added by data-ops and by colleagues."""
        return False

    def get_client_ip(self, request: http.HttpRequest) -> str:
        """Return the address that `trust_proxies` has decided on."""
        return str(request.META["REMOTE_ADDR"])

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return whether to ask for the password again: not right after the log-in."""
        started = context.request.session.get(limits.STARTED, 0)
        return bool(time.time() - started > limits.FRESH_SECONDS)

    def get_login_stages(self) -> list[str]:
        """Return what a log-in passes; who has proven a second factor is not asked."""
        asking = "allauth.mfa.stages.AuthenticateStage"
        ours = "cvms_pipeline.portal.single_sign_on.stages.SecondFactor"
        stages: list[str] = super().get_login_stages()
        return [ours if stage == asking else stage for stage in stages]

    def _get_login_attempts_cache_key(
        self, request: http.HttpRequest, **credentials: Any
    ) -> str:
        """Return what failed log-ins are counted by: the account and the browser."""
        login = str(credentials.get("username", "")).lower()
        return f"{login}:{_read_device(request, login)}"


class SecondFactorAdapter(mfa_adapter.DefaultMFAAdapter):
    """Second factors; their secrets are encrypted with the portal's key."""

    error_messages = {  # noqa: RUF012  # allauth reads it so
        **mfa_adapter.DefaultMFAAdapter.error_messages,
        "incorrect_code": _("The code is wrong or was used before. Type the next one."),
    }

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return make_cipher(_FACTORS).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret."""
        return make_cipher(_FACTORS).decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: Any) -> str:
        """Return what an authenticator app shows."""
        return str(user.username)

    def _get_site_name(self) -> str:
        return configuration.SYSTEM


def make_cipher(purpose: str) -> fernet.Fernet:
    """Return what encrypts for one purpose, with a key of its own."""
    key = hashlib.sha256(f"{purpose}:{settings.SECRET_KEY!s}".encode()).digest()
    return fernet.Fernet(base64.urlsafe_b64encode(key))


def remember_device(response: http.HttpResponseBase, account: models.Account) -> None:
    """Mark the browser as one in which the owner of the account has logged in."""
    response.set_cookie(
        settings.CVMS.device_cookie,
        signing.dumps(_mark(account.username), salt=_DEVICE_SALT),
        max_age=limits.DEVICE_DAYS * _DAY_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read_device(request: http.HttpRequest, login: str) -> str:
    cookie = request.COOKIES.get(settings.CVMS.device_cookie, "")
    age = limits.DEVICE_DAYS * _DAY_SECONDS
    try:
        marked = signing.loads(cookie, salt=_DEVICE_SALT, max_age=age)
    except signing.BadSignature:
        return "unknown"
    if marked != _mark(login):
        return "unknown"
    return hashlib.sha256(cookie.encode()).hexdigest()[:16]


def _mark(username: str) -> str:
    """Return what the cookie holds instead of the username."""
    return hashlib.sha256(username.encode()).hexdigest()[:32]
