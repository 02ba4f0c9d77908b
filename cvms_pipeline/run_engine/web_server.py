"""The Dagster UI, which takes requests from its own pages and from programs only.

`python -m cvms_pipeline.run_engine.web_server` is `dagster-webserver`, with the same
options, behind a guard.  Dagster answers every host name, every origin, and mutations
that are sent by GET, so that any web page that a person opens could steer it.  Here is
only the guard; which requests it refuses is in docs/decisions/0021-web-guard.md.
"""

import re
import sys
import urllib.parse
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dagster_webserver import cli
from starlette import datastructures, responses, types, websockets

from cvms_pipeline.run_engine import web_accounts
from cvms_pipeline.settings import groups, loading

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERY_ADDRESS = frozenset({"0.0.0.0", "[::]"})  # noqa: S104  # compared, not bound
_AUTHORITY = re.compile(
    r"(?P<name>\[[0-9a-f:.]+\]|[^\s\[\]/:@?#]+)(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GRAPHQL = "/graphql"
_QUERY_TYPES = frozenset({"application/json", "application/graphql"})
"""A page of another site cannot send these without being asked about it first."""

_CREATE_APP = "create_app_from_workspace_process_context"
"""The function by which Dagster's command makes the application that it serves."""

_HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # `no-referrer` would take the origin from the forms of our own pages, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FRAME_POLICY = "frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """The answer to a request that does not reach Dagster."""

    status: int
    text: str
    headers: Mapping[str, str] | None = None


_WRONG_HOST = _Refusal(
    status=421,
    text=(
        "The Dagster UI does not answer under this host name. Set CVMS_DAGSTER_URL to"
        " the address that people open, and restart."
    ),
)
_OTHER_PAGE = _Refusal(
    status=403,
    text=(
        "The Dagster UI takes requests from its own pages only; this one comes from"
        " another web page."
    ),
)
_QUERY_BY_GET = _Refusal(
    status=405,
    text="The Dagster UI takes GraphQL by POST only, never by GET.",
    headers={"Allow": "POST"},
)
_NOT_JSON = _Refusal(
    status=415,
    text="The Dagster UI takes GraphQL as application/json only.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addresses:
    """Where the UI is.

    Attributes:
        names: The host names, in lower case, at any port.
        public_origin: The origin of CVMS_DAGSTER_URL as browsers write it, or None.
    """

    names: Collection[str]
    public_origin: str | None

    def find_origin(self, host: str) -> str | None:
        """Return the origin of the UI's pages at a Host header, or None if not ours.

        Only a proxy speaks TLS, so all but the public address is plain HTTP.
        """
        found = _AUTHORITY.fullmatch(host.lower())
        if found is None or found["name"] not in self.names:
            return None
        origins = [_write_origin(scheme, found) for scheme in _DEFAULT_PORTS]
        return self.public_origin if self.public_origin in origins else origins[0]


def _read_addresses(web: groups.Web) -> _Addresses:
    """Return where the UI is by the settings, and on the loopback interface."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    names = (_LOOPBACK | {host.lower()}) - _EVERY_ADDRESS
    public = urllib.parse.urlsplit((web.dagster_url or "").lower())
    found = _AUTHORITY.fullmatch(public.netloc.rpartition("@")[2])
    if found is None:
        return _Addresses(names=names, public_origin=None)
    origin = _write_origin(public.scheme, found)
    return _Addresses(names=names | {found["name"]}, public_origin=origin)


def _write_origin(scheme: str, authority: re.Match[str]) -> str:
    """Return an origin as browsers write it: without the scheme's own port."""
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    suffix = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{authority['name']}{suffix}"


def _find_refusal(scope: types.Scope, addresses: _Addresses) -> _Refusal | None:
    """Return why a request or a websocket does not reach Dagster, or None."""
    headers = datastructures.Headers(scope=scope)
    hosts = headers.getlist("host")
    origin = addresses.find_origin(hosts[0]) if len(hosts) == 1 else None
    if origin is None:
        return _WRONG_HOST
    if not _is_from_own_page(scope, headers, origin):
        return _OTHER_PAGE
    if scope["type"] == "http" and scope["path"].rstrip("/").endswith(_GRAPHQL):
        return _check_query(scope, headers)
    return None


def _is_from_own_page(
    scope: types.Scope, headers: datastructures.Headers, origin: str
) -> bool:
    """Return whether no other web page is behind a request.

    A program sends neither header.  What a person opens by a link in a mail comes from
    another site, shows itself as a page of its own, and changes nothing.
    """
    if any(found != origin for found in headers.getlist("origin")):
        return False
    if set(headers.getlist("sec-fetch-site")) <= {"same-origin", "none"}:
        return True
    return (
        scope.get("method") == "GET"
        and headers.getlist("sec-fetch-mode") == ["navigate"]
        and headers.getlist("sec-fetch-dest") == ["document"]
    )


def _check_query(
    scope: types.Scope, headers: datastructures.Headers
) -> _Refusal | None:
    """Return why a request to GraphQL is refused; its page has no query."""
    if scope["method"] != "POST":
        return _QUERY_BY_GET if scope["query_string"] else None
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return None if media_type in _QUERY_TYPES else _NOT_JSON


class _Guard:
    """An ASGI application: Dagster's, for the requests that are not refused."""

    def __init__(self, app: types.ASGIApp, addresses: _Addresses) -> None:
        """Take Dagster's application, and where it is."""
        self._app = app
        self._addresses = addresses

    async def __call__(
        self, scope: types.Scope, receive: types.Receive, send: types.Send
    ) -> None:
        """Answer a request or a websocket, or let Dagster do it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refusal = _find_refusal(scope, self._addresses)
        app = self._app if refusal is None else _make_answer(scope, refusal)
        await app(scope, receive, _add_headers(send))


def _make_answer(scope: types.Scope, refusal: _Refusal) -> types.ASGIApp:
    if scope["type"] == "websocket":
        return websockets.WebSocketClose()  # before it is accepted: status 403
    return responses.PlainTextResponse(refusal.text, refusal.status, refusal.headers)


def _add_headers(send: types.Send) -> types.Send:
    """Return a `send` that adds our headers to each answer.

    Dagster's own content policy stays; a browser obeys both.
    """

    async def send_with_headers(message: types.Message) -> None:
        if message["type"] == "http.response.start":
            headers = datastructures.MutableHeaders(scope=message)
            headers.update(_HEADERS)
            headers.append("Content-Security-Policy", _FRAME_POLICY)
        await send(message)

    return send_with_headers


def main() -> None:
    """Run `dagster-webserver` with the options of the command line, behind the guard.

    CVMS_READ_ONLY counts here, and so in containers, too.
    """
    chosen = loading.load()
    create_app = getattr(cli, _CREATE_APP)

    def create_guarded_app(*values: Any, **options: Any) -> _Guard:
        app = web_accounts.Accounts(create_app(*values, **options), chosen)
        return _Guard(app, _read_addresses(chosen.web))

    setattr(cli, _CREATE_APP, create_guarded_app)
    read_only = ["--read-only"] if chosen.web.is_read_only else []
    cli.cli([*sys.argv[1:], *read_only], auto_envvar_prefix="DAGSTER_WEBSERVER")


if __name__ == "__main__":
    main()
