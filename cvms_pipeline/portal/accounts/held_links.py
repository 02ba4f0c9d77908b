"""The token of a link while its page is open: out of the address, encrypted in storage.

Others may see or log an address.  Sessions are in the database, and whoever reads them
there can use no link.
"""

from cryptography import fernet
from django import http, shortcuts

from cvms_pipeline.portal.accounts import adapters

_PURPOSE = "links that are open"
_SECONDS = 3600
"""How long the page of a link can be used once it was opened."""


def open_page(
    request: http.HttpRequest, key: str, token: str, page: str
) -> http.HttpResponse:
    """Hold the token in the session under `key`, and lead to the page of the link."""
    encrypted = adapters.make_cipher(_PURPOSE).encrypt(token.encode("utf-8", "replace"))
    request.session[key] = encrypted.decode()
    if not request.user.is_authenticated:
        request.session.set_expiry(_SECONDS)
    response = shortcuts.redirect(page)
    response["Referrer-Policy"] = "no-referrer"
    return response


def read(request: http.HttpRequest, key: str) -> str:
    """Return the token that is held; empty without one."""
    held = str(request.session.get(key, ""))
    try:
        return adapters.make_cipher(_PURPOSE).decrypt(held.encode()).decode()
    except fernet.InvalidToken:
        return ""
