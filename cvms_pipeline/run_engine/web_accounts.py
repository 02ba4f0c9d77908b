"""Who steers the Dagster UI, when a proxy asks the portal before each request.

The portal's answer to that question names the account and whether it may change
something; the proxy passes both on as headers.  Here is what they mean: an account that
may only look changes nothing, and the audit records who changed what.  Without these
headers nothing differs.  That the proxy replaces them in what comes from outside is
said in docs/portal.md.
"""

import functools
import json
from collections.abc import Sequence

import graphql
from starlette import concurrency, datastructures, responses, types

from cvms_pipeline import bootstrap, errors
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import accounts, pipelines

USER, ACCESS = "x-cvms-user", "x-cvms-access"

_LOOK_ONLY = "The Dagster UI shows you everything; your account may change nothing."
_NOT_RECORDED = "The Dagster UI cannot record who does this now, so it is not done."
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_GRAPHQL = "/graphql"
_UNKNOWN = "unknown"
_MAX_SHOWN = 10


class Accounts:
    """An ASGI application: another one, for accounts that may do what they ask."""

    def __init__(self, app: types.ASGIApp, chosen: loading.Settings) -> None:
        """Take the application; connect to nothing yet."""
        self._app = app
        self._open = functools.cache(lambda: bootstrap.open_pipeline(chosen))

    async def __call__(
        self, scope: types.Scope, receive: types.Receive, send: types.Send
    ) -> None:
        """Answer a request, or let the application do it."""
        headers = datastructures.Headers(scope=scope)
        if scope["type"] != "http" or headers.get(USER) is None:
            await self._app(scope, receive, send)
            return
        body = b"" if scope["method"] in _HARMLESS else await _read(receive)
        changes = find_changes(scope["method"], scope["path"], headers, body)
        if changes and headers.get(ACCESS) != "write":
            refusal = responses.PlainTextResponse(_LOOK_ONLY, 403)
            await refusal(scope, receive, send)
            return
        if changes and not await self._record(headers[USER], changes):
            refusal = responses.PlainTextResponse(_NOT_RECORDED, 503)
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _record(self, user: str, changes: Sequence[str]) -> bool:
        """Write into the audit who changes what; return False if that fails."""
        write = functools.partial(_write, self._open, user, changes)
        try:
            await concurrency.run_in_threadpool(write)
        except errors.CvmsError:
            return False
        return True


def find_changes(
    method: str, path: str, headers: datastructures.Headers, body: bytes
) -> list[str]:
    """Return the names of what a request would change; none if it only asks.

    What cannot be understood is no question, so it counts as a change.
    """
    if method in _HARMLESS:
        return []
    if not path.rstrip("/").endswith(_GRAPHQL):
        return [path.strip("/").partition("/")[0]]
    media_type = headers.get("content-type", "")
    try:
        # As Dagster chooses, by case, too: with any other type it takes the query from
        # the address, and the body would say nothing about it.
        if "application/json" in media_type:
            query = str(json.loads(body)["query"])
        elif "application/graphql" in media_type:
            query = body.decode()
        else:
            return [_UNKNOWN]
        parsed = graphql.parse(query)
    except (ValueError, TypeError, KeyError, graphql.GraphQLError):
        return [_UNKNOWN]
    return [
        selection.name.value if isinstance(selection, graphql.FieldNode) else _UNKNOWN
        for definition in parsed.definitions
        if isinstance(definition, graphql.OperationDefinitionNode)
        and definition.operation is graphql.OperationType.MUTATION
        for selection in definition.selection_set.selections
    ]


def _write(
    open_pipeline: "functools._lru_cache_wrapper[pipelines.Pipeline]",
    user: str,
    changes: Sequence[str],
) -> None:
    pipeline = open_pipeline().acting_as(f"portal:{user}")
    details = {"changes": [change[:80] for change in changes[:_MAX_SHOWN]]}
    accounts.record(pipeline, accounts.Event.DAGSTER_CHANGED, details=details)


async def _read(receive: types.Receive) -> bytes:
    """Return the body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes, receive: types.Receive) -> types.Receive:
    """Return a `receive` that gives the body once more."""
    left = [body]

    async def replayed() -> types.Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed
