"""Pages that tell of a fault, and of what was typed and not taken.

A fault has a reference number, which the log has, too: with the kind of error and the
places in the code, without any message, because a message may hold a name.
"""

import logging
import secrets
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django import db, forms, http, shortcuts
from django.conf import settings
from django.template import loader
from django.utils import translation

from cvms_pipeline import errors
from cvms_pipeline.domain.reading import refusals

_LOG = logging.getLogger("cvms.portal")
_PACKAGE = str(Path(__file__).parents[2])
_AWAY = (errors.TransientError, db.OperationalError, db.InterfaceError)
_NEVER_KEPT = ("csrfmiddlewaretoken", "password", "again", "code", "credential")


def render_form(
    request: http.HttpRequest, template: str, form: forms.Form, **context: Any
) -> http.HttpResponse:
    """Return a page with a form; 422 if what was typed into it is wrong."""
    status = 422 if form.is_bound and form.errors else 200
    return shortcuts.render(request, template, {"form": form, **context}, status=status)


def render_unsent(
    request: http.HttpRequest, template: str, status: int, **context: Any
) -> http.HttpResponse:
    """Return a page that offers to send again what was typed, without passwords."""
    kept = list(_list_typed(request))
    context |= {"kept": kept, "path": request.path if kept else ""}
    try:
        return shortcuts.render(request, template, context, status=status)
    except _AWAY:  # the page's frame reads who is logged in
        page = loader.render_to_string("portal/away.html", context)
        return http.HttpResponse(page, status=status)


def csrf_failure(request: http.HttpRequest, reason: str = "") -> http.HttpResponse:
    """Say that a form was too old, and offer to send it again."""
    return render_unsent(request, "403_csrf.html", 403)


def bad_request(request: http.HttpRequest, exception: Any = None) -> http.HttpResponse:
    """Say that a request could not be understood."""
    return http.HttpResponse(loader.render_to_string("400.html"), status=400)


def forbidden(request: http.HttpRequest, exception: Any = None) -> http.HttpResponse:
    """Say that this is not for this account."""
    return shortcuts.render(request, "403.html", status=403)


def not_found(request: http.HttpRequest, exception: Any = None) -> http.HttpResponse:
    """Say that there is no such page, or not for this account."""
    return shortcuts.render(request, "404.html", status=404)


def too_many(request: http.HttpRequest) -> http.HttpResponse:
    """Say that it was tried too often."""
    return shortcuts.render(request, "429.html", status=429)


def too_large(request: http.HttpRequest) -> http.HttpResponse:
    """Say that a request has more bytes than a file may have; it was not read."""
    refusal = refusals.refuse_size(settings.CVMS.pipeline.max_bytes)
    with translation.override("en"):  # as what a file is refused with
        page = loader.render_to_string("413.html", {"text": refusal.message})
    response = http.HttpResponse(page, status=413)
    response["Content-Language"] = "en"
    return response


def server_error(request: http.HttpRequest) -> http.HttpResponse:
    """Say that something failed: 503 if it may work later, else with a reference."""
    error = sys.exception()
    reference = secrets.token_hex(4)
    match = request.resolver_match
    _LOG.error(
        "fault %s in %s: %s at %s",
        reference,
        match.view_name if match else "unknown page",
        type(error).__name__,
        " < ".join(_list_places(error)),
    )
    context = {"reference": reference}
    if isinstance(error, _AWAY):
        return _render_away(request, context)
    page = loader.render_to_string("500.html", context)
    return http.HttpResponse(page, status=500)


def _render_away(
    request: http.HttpRequest, context: dict[str, Any]
) -> http.HttpResponse:
    kept = list(_list_typed(request))
    context |= {"kept": kept, "path": request.path, "token": _read_token(request)}
    page = loader.render_to_string("portal/away.html", context)
    response = http.HttpResponse(page, status=503)
    response["Retry-After"] = "10"
    return response


def _read_token(request: http.HttpRequest) -> str:
    """Return the token with which the form can be sent again; it needs no database."""
    from django.middleware import csrf

    return csrf.get_token(request)


def _list_typed(request: http.HttpRequest) -> Iterator[tuple[str, str]]:
    if request.method != "POST":
        return
    for name, values in request.POST.lists():
        if not any(word in name for word in _NEVER_KEPT):
            yield from ((name, value) for value in values)


def _list_places(error: BaseException | None) -> Iterator[str]:
    """Yield where in our code an error was raised, the innermost place first."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    for frame in reversed(frames):
        if frame.filename.startswith(_PACKAGE):
            name = Path(frame.filename).relative_to(_PACKAGE)
            yield f"{name}:{frame.lineno}"
