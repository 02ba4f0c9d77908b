"""What a web page can make a browser send to the Dagster UI, and what comes of it."""

import http.client
import json
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import proxies

EVIL = "http://evil.example"
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain;charset=UTF-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Protocol": "graphql-ws",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    text: str
    headers: http.client.HTTPMessage


def mutation(key: str) -> str:
    """Return a change that Dagster makes without knowing any code."""
    return f'mutation {{ setConcurrencyLimit(concurrencyKey: "{key}", limit: 1) }}'


def by_query(key: str) -> str:
    return f"/graphql?{urllib.parse.urlencode({'query': mutation(key)})}"


def report(key: str) -> str:
    return f"/report_asset_materialization/{key}"


def fetched(site: str, mode: str, destination: str) -> dict[str, str]:
    """Return the headers by which a browser says who wants something, and for what."""
    return {
        "Sec-Fetch-Site": site,
        "Sec-Fetch-Mode": mode,
        "Sec-Fetch-Dest": destination,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A request that changes something if it is obeyed."""

    name: str
    method: str = "POST"
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def send(self, url: str) -> Answer:
        return send(url, self.method, self.path, self.headers, self.body)


def send(
    url: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: str | None = None,
) -> Answer:
    """Send exactly these headers; PORT in one of them is that of the UI."""
    port = urllib.parse.urlsplit(url).port or 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    exact = {name: value.replace("PORT", str(port)) for name, value in headers.items()}
    connection.request(method, path, body, exact)
    answer = connection.getresponse()
    is_websocket = answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS
    text = "" if is_websocket else answer.read().decode()
    connection.close()
    return Answer(status=answer.status, text=text, headers=answer.headers)


def shake_hands(url: str, headers: Mapping[str, str]) -> int:
    """Return the status of the answer to a request for a websocket."""
    return send(url, "GET", "/graphql", {**_UPGRADE, **headers}).status


def find_changes(url: str) -> set[str]:
    """Return the keys of all mutations and reports that the UI has obeyed."""
    limits = "{ instance { concurrencyLimits { concurrencyKey } } }"
    assets = "{ assetsOrError { ... on AssetConnection { nodes { key { path } } } } }"
    found = proxies.graphql(url, limits)["concurrencyLimits"]
    nodes = proxies.graphql(url, assets)["nodes"]
    return {each["concurrencyKey"] for each in found} | {
        node["key"]["path"][0] for node in nodes
    }


def _make_attacks() -> Iterator[Attack]:
    """Yield each way; the headers are those that Chromium sends."""
    cross_site = fetched("cross-site", "no-cors", "empty")
    yield Attack(
        name="an-image",
        method="GET",
        path=by_query("an-image"),
        headers=fetched("cross-site", "no-cors", "image"),
    )
    yield Attack(
        name="an-image-of-an-old-browser",
        method="GET",
        path=by_query("an-image-of-an-old-browser"),
    )
    yield Attack(
        name="a-fetch",
        path=by_query("a-fetch"),
        headers={"Origin": EVIL, **cross_site, **TEXT},
    )
    yield Attack(
        name="a-fetch-of-json-in-disguise",
        path="/graphql",
        headers={"Content-Type": "text/plain; application/json"},
        body=json.dumps({"query": mutation("a-fetch-of-json-in-disguise")}),
    )
    yield Attack(
        name="a-form",
        path=by_query("a-form"),
        headers={
            "Origin": EVIL,
            **fetched("cross-site", "navigate", "document"),
            **FORM,
        },
    )
    yield Attack(
        name="a-form-of-a-sandbox",
        path=by_query("a-form-of-a-sandbox"),
        headers={"Origin": "null", **FORM},
    )
    yield Attack(
        name="an-old-browser",
        path="/graphql",
        headers={"Origin": EVIL, **JSON},
        body=json.dumps({"query": mutation("an-old-browser")}),
    )
    yield Attack(
        name="another-port-of-this-machine",
        path="/graphql",
        headers={
            "Origin": "http://127.0.0.1:1",
            **fetched("same-site", "cors", "empty"),
            **JSON,
        },
        body=json.dumps({"query": mutation("another-port-of-this-machine")}),
    )
    yield Attack(
        name="a-rebound-name",
        path="/graphql",
        headers={
            "Host": "evil.example:PORT",
            "Origin": f"{EVIL}:PORT",
            **fetched("same-origin", "cors", "empty"),
            **JSON,
        },
        body=json.dumps({"query": mutation("a-rebound-name")}),
    )
    yield Attack(
        name="a-report",
        path=report("a-report"),
        headers={"Origin": EVIL, **cross_site},
    )
    yield Attack(
        name="a-report-of-a-sandbox",
        path=report("a-report-of-a-sandbox"),
        headers={"Origin": "null"},
    )


ATTACKS = tuple(_make_attacks())
