"""The audit of the accounts: every log-in, good or bad, and what changes an account.

allauth and Django send signals; each becomes one entry, without any name or address of
somebody who is not logged in.
"""

from typing import Any

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django import http
from django.conf import settings
from django.contrib.auth import signals

from cvms_pipeline.portal.accounts import middleware, models
from cvms_pipeline.portal.single_sign_on import claims
from cvms_pipeline.portal.site import counting
from cvms_pipeline.use_cases import accounts, pipelines
from cvms_pipeline.use_cases.provider_actions import review
from cvms_pipeline.use_cases.recipients import access

_NOBODY = "portal"


def open_pipeline(request: http.HttpRequest) -> pipelines.Pipeline:
    """Return the pipeline, acting as whoever is logged in."""
    account = getattr(request, "user", None)
    is_known = account is not None and account.is_authenticated
    actor = f"{_NOBODY}:{account.actor}" if account and is_known else _NOBODY
    return settings.CVMS.pipeline.acting_as(actor)


def record(
    request: http.HttpRequest,
    event: accounts.Event,
    account: models.Account | None,
    **details: object,
) -> None:
    """Write what has happened to an account, by whoever is logged in."""
    if event is accounts.Event.LOG_IN_REFUSED:
        counting.count_refusal(str(details["because"]))
    accounts.record(
        open_pipeline(request),
        event,
        account_id=None if account is None else str(account.pk),
        provider=(account.provider or None) if account else None,
        details=details,
    )


def connect() -> None:
    """Connect the signals; called once, when Django starts."""
    account_signals.user_logged_in.connect(_logged_in)
    account_signals.password_changed.connect(_password_changed)
    signals.user_logged_out.connect(_logged_out)
    signals.user_login_failed.connect(_refused)
    mfa_signals.authentication_failed.connect(_refused_factor)
    mfa_signals.authenticator_added.connect(_factor_added)
    mfa_signals.authenticator_removed.connect(_factor_removed)


def _logged_in(request: http.HttpRequest, user: models.Account, **facts: Any) -> None:
    """Record a log-in; a second factor that was proven elsewhere is remembered."""
    middleware.note_use(request)
    if "sociallogin" not in facts:
        record(request, accounts.Event.LOGGED_IN, user)
        return
    request.session[middleware.PROVEN] = claims.prove_second_factor(facts)
    record(request, accounts.Event.LOGGED_IN, user, by="single-sign-on")


def _password_changed(
    request: http.HttpRequest, user: models.Account, **_: Any
) -> None:
    """Tell a recipient by mail, so that a theft is noticed."""
    if user.recipient is not None:
        access.tell_password_changed(open_pipeline(request), str(user.recipient))


def _logged_out(request: http.HttpRequest, user: Any, **_: Any) -> None:
    if isinstance(user, models.Account):
        record(request, accounts.Event.LOGGED_OUT, user)
        if request.resolver_match is not None:  # a person, not the end of the session
            review.leave(open_pipeline(request), sent_by=str(user.pk))


def _refused(credentials: Any, request: http.HttpRequest | None, **_: Any) -> None:
    """Record a refused log-in; who it was for only if there is such an account.

    What was typed is not recorded: it may be a password in the wrong field.
    """
    if request is not None:
        username = str(credentials.get("username", "")).lower()
        account = models.Account.objects.filter(username=username).first()
        event = accounts.Event.LOG_IN_REFUSED
        record(request, event, account, because="password")


def _refused_factor(request: http.HttpRequest, user: models.Account, **_: Any) -> None:
    event = accounts.Event.LOG_IN_REFUSED
    record(request, event, user, because="second-factor")


def _factor_added(
    request: http.HttpRequest,
    user: models.Account,
    authenticator: Authenticator,
    **_: Any,
) -> None:
    """End the other sessions: they were begun with a password alone."""
    middleware.end_sessions(user, but=request.session.session_key)
    event = accounts.Event.SECOND_FACTOR_ADDED
    record(request, event, user, kind=str(authenticator.type))


def _factor_removed(
    request: http.HttpRequest,
    user: models.Account,
    authenticator: Authenticator,
    **_: Any,
) -> None:
    event = accounts.Event.SECOND_FACTOR_REMOVED
    record(request, event, user, kind=str(authenticator.type))
