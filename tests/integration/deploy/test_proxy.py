"""The documented proxy with a log-in for the Dagster UI, and the read-only UI."""

import base64
import json
import ssl
import subprocess
from collections.abc import Iterator

import attacks
import proxies
import pytest

from benchmarks import ports

USER, PASSWORD = "ops", "canary-password"
DELETE = 'mutation { deleteRun(runId: "x") { __typename } }'
VERSION = "{ version }"


@pytest.fixture(scope="module")
def address() -> str:
    """Where people reach the UI; a port of this machine, by a name."""
    return f"https://localhost:{ports.find_free()}"


@pytest.fixture(scope="module")
def read_only(address, tmp_path_factory) -> Iterator[str]:
    """The UI as `CVMS_READ_ONLY` makes it."""
    home = tmp_path_factory.mktemp("ui")
    with proxies.dagster_ui(home, read_only=True, dagster_url=address) as url:
        yield url


@pytest.fixture(scope="module")
def proxy(address, read_only, tmp_path_factory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """deploy/Caddyfile before it, with a certificate of its own authority."""
    folder, port = tmp_path_factory.mktemp("caddy"), int(address.rpartition(":")[2])
    caddy = proxies.program("caddy")
    made = subprocess.run(  # noqa: S603 # our own words
        [caddy, "hash-password"],
        input=f"{PASSWORD}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    environment = proxies.clean_environment(
        PROXY_SITE=address,
        PROXY_USER=USER,
        PROXY_HASH=made.stdout.split()[-1],
        PROXY_TO=read_only.removeprefix("http://"),
        PROXY_HTTP_PORT=str(ports.find_free()),
        XDG_DATA_HOME=str(folder),
        XDG_CONFIG_HOME=str(folder),
    )
    config = str(proxies.ROOT / "deploy" / "Caddyfile")
    command = [caddy, "run", "--config", config]
    with proxies.running(command, port, env=environment):
        authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        proxies.eventually_speaks_tls(address, authority)
        yield address, ssl.create_default_context(cafile=authority)


def log_in(user=USER, password=PASSWORD):
    both = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"}


PATHS = ["/", "/graphql", "/server_info", "/logs/x/y", "/download_debug/x"]
STRANGERS = [
    {},
    log_in(password="guess"),
    log_in(user="admin"),
    {"X-Forwarded-For": "127.0.0.1"},  # as if it came from this machine
]


@pytest.mark.parametrize("path", PATHS)
def test_the_proxy_answers_nothing_without_the_log_in(proxy, path):
    url, trust = proxy

    answers = {
        proxies.ask(url + path, headers=headers, context=trust)[0]
        for headers in STRANGERS
    }

    assert answers == {401}


def test_with_the_log_in_the_ui_answers_through_the_proxy(proxy):
    url, trust = proxy

    answer = proxies.graphql(url, VERSION, headers=log_in(), context=trust)
    status, page = proxies.ask(url, headers=log_in(), context=trust)

    assert answer
    assert (status, "<html" in page.lower()) == (200, True)


def test_the_proxy_accepts_only_tls(proxy):
    url, _ = proxy

    status, _ = proxies.ask(url.replace("https:", "http:"))

    assert status == 400


def test_a_read_only_ui_refuses_every_change(read_only):
    assert proxies.graphql(read_only, VERSION)

    assert proxies.graphql(read_only, DELETE) == {"__typename": "UnauthorizedError"}


def test_without_the_setting_the_ui_makes_changes(tmp_path):
    with proxies.dagster_ui(tmp_path) as url:
        answer = proxies.graphql(url, DELETE)

    assert answer == {"__typename": "RunNotFoundError"}


# What a browser sends that has the log-in, from pages that are not the UI's.
FOREIGN = {
    "another site": {
        "Origin": "https://evil.example",
        **attacks.fetched("cross-site", "cors", "empty"),
    },
    "an old browser": {"Origin": "https://evil.example"},
    "a sandbox": {"Origin": "null"},
    "another port": attacks.fetched("same-site", "no-cors", "empty"),
    "before TLS": {"Origin": "http://localhost"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_browser_s_own_log_in_lets_no_other_page_through(proxy, headers):
    url, trust = proxy
    data = json.dumps({"query": VERSION}).encode()
    both = {**log_in(), **headers, **attacks.JSON}

    asked = proxies.ask(f"{url}/graphql", data=data, headers=both, context=trust)
    reported = proxies.ask(
        url + attacks.report("x"), data=b"{}", headers=both, context=trust
    )

    assert (asked[0], reported[0]) == (403, 403)


def test_no_mutation_by_get_passes_the_proxy(proxy):
    url, trust = proxy

    status, _ = proxies.ask(
        url + attacks.by_query("x"), headers=log_in(), context=trust
    )

    assert status == 405


def test_a_page_of_the_ui_itself_passes_the_proxy(proxy):
    url, trust = proxy
    headers = {
        **log_in(),
        "Origin": url,
        **attacks.fetched("same-origin", "cors", "empty"),
    }

    assert proxies.graphql(url, VERSION, headers=headers, context=trust)


def test_the_headers_of_the_ui_pass_the_proxy_and_tls_stays_demanded(proxy):
    url, trust = proxy

    found = proxies.read_headers(url, headers=log_in(), context=trust)

    policies = found.get_all("Content-Security-Policy")
    assert policies[-1] == "frame-ancestors 'none'"
    assert found.get_all("Referrer-Policy") == ["same-origin"]
    assert found["Strict-Transport-Security"] == "max-age=31536000"
