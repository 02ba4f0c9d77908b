"""What every request passes first: whose headers are believed, what is logged.

The log has the name of the page, never its address: an address may hold a token, and
what is typed into a search.
"""

import logging
import time
from collections.abc import Callable

from django import http
from django.conf import settings

from cvms_pipeline.portal.site import configuration, counting

_LOG = logging.getLogger("cvms.portal")
_LOOPBACK = "127.0.0.1"
_STATIC = "/static/"
_Next = Callable[[http.HttpRequest], http.HttpResponse]


def trust_proxies(get_response: _Next) -> _Next:
    """Believe the forwarded headers of the named proxies; drop those of others."""

    def middleware(request: http.HttpRequest) -> http.HttpResponse:
        meta = request.META
        forwarded = meta.pop("HTTP_X_FORWARDED_FOR", "")
        peer = meta.get("REMOTE_ADDR") or _LOOPBACK  # a Unix socket has no address
        if peer not in settings.CVMS.proxies:
            meta.pop("HTTP_X_FORWARDED_PROTO", None)
        elif client := forwarded.rpartition(",")[2].strip():
            peer = client
        meta["REMOTE_ADDR"] = peer
        return get_response(request)

    return middleware


def log_and_harden(get_response: _Next) -> _Next:
    """Write one line for each page, and add the headers that every answer has."""

    def middleware(request: http.HttpRequest) -> http.HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        if request.path.startswith(_STATIC):
            return response
        match = request.resolver_match
        page = match.view_name if match else "unknown page"
        milliseconds = (time.monotonic() - began) * 1000
        _LOG.info(
            "%s %s %d %.0f ms",
            _name_method(request),
            page,
            response.status_code,
            milliseconds,
        )
        counting.count_answer(page, response.status_code)
        response.headers.setdefault(
            "Content-Security-Policy", configuration.CONTENT_POLICY
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers["Cache-Control"] = "no-store"
        if page == "account_logout" and request.method == "POST":
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return middleware


def _name_method(request: http.HttpRequest) -> str:
    """Return the method, or a word in place of what somebody has made up."""
    known = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"}
    return request.method if request.method in known else "OTHER"
