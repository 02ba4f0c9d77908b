"""A verified answer, on its way from the page that another site opens to our own.

The service lets the browser send its answer by a form, and with a form of another site
no browser sends the cookie of the session.  So the answer waits for the next page in a
cookie of its own, encrypted, for a minute; nothing of it is stored.
"""

import dataclasses
import json

from cryptography import fernet
from django import http
from django.conf import settings

from cvms_pipeline.portal.accounts import adapters
from cvms_pipeline.portal.single_sign_on import saml

_PURPOSE = "answers of single sign-on"
_SECONDS = 60


def give(response: http.HttpResponseBase, answer: saml.Answer) -> None:
    """Let the browser carry the answer to the next page."""
    said = json.dumps(dataclasses.asdict(answer)).encode()
    response.set_cookie(
        _name_cookie(),
        adapters.make_cipher(_PURPOSE).encrypt(said).decode(),
        max_age=_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def take(request: http.HttpRequest) -> saml.Answer | None:
    """Return the answer that the browser has carried; None after a minute."""
    cookie = request.COOKIES.get(_name_cookie(), "")
    try:
        said = adapters.make_cipher(_PURPOSE).decrypt(cookie.encode(), ttl=_SECONDS)
    except fernet.InvalidToken:
        return None
    return saml.Answer(**json.loads(said))


def forget(response: http.HttpResponseBase) -> None:
    """Let the browser drop the answer."""
    response.set_cookie(
        _name_cookie(), max_age=0, secure=settings.SESSION_COOKIE_SECURE, httponly=True
    )


def _name_cookie() -> str:
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}cvms_answer"
