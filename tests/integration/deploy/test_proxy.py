"""The recipe for a log-in before the Dagster UI, and the UI that only shows."""

import base64
import ssl
import subprocess
from collections.abc import Iterator

import proxies
import pytest

from cvms_pipeline import settings
from cvms_pipeline.local import processes

USER, PASSWORD = "ops", "canary-password"
DELETE = 'mutation { deleteRun(runId: "x") { __typename } }'
VERSION = "{ version }"


def web_server(home, port, **chosen) -> list[str]:
    """Return the very command with which `cvms up` runs the UI."""
    made = settings.load(home=home, port=port, **chosen)
    programs = {one.name: one for one in processes.services(made)}
    return list(programs["webserver"].command)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A Dagster home of its own; the code server is away, which the UI bears."""
    folder = tmp_path_factory.mktemp("ui")
    (folder / "dagster.yaml").touch()
    return folder


@pytest.fixture(scope="module")
def read_only(home) -> Iterator[str]:
    """The UI as `CVMS_READ_ONLY` makes it."""
    port = proxies.free_port()
    command = web_server(home, port, read_only=True)
    environment = proxies.clean_environment(DAGSTER_HOME=str(home))
    with proxies.running(command, port, env=environment, cwd=home):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def proxy(read_only, tmp_path_factory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """deploy/Caddyfile before it, with a certificate of its own authority."""
    folder, port = tmp_path_factory.mktemp("caddy"), proxies.free_port()
    caddy = proxies.program("caddy")
    made = subprocess.run(  # noqa: S603 # our own words
        [caddy, "hash-password"],
        input=f"{PASSWORD}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    environment = proxies.clean_environment(
        PROXY_SITE=f"https://localhost:{port}",
        PROXY_USER=USER,
        PROXY_HASH=made.stdout.split()[-1],
        PROXY_TO=read_only.removeprefix("http://"),
        PROXY_HTTP_PORT=str(proxies.free_port()),
        XDG_DATA_HOME=str(folder),
        XDG_CONFIG_HOME=str(folder),
    )
    config = str(proxies.ROOT / "deploy" / "Caddyfile")
    command = [caddy, "run", "--config", config]
    with proxies.running(command, port, env=environment):
        authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        url = f"https://localhost:{port}"
        proxies.eventually_speaks_tls(url, authority)
        yield url, ssl.create_default_context(cafile=authority)


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
def test_nobody_gets_anything_through_the_proxy_without_the_log_in(proxy, path):
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


def test_the_proxy_speaks_tls_only(proxy):
    url, _ = proxy

    status, _ = proxies.ask(url.replace("https:", "http:"))

    assert status == 400


def test_a_read_only_ui_shows_but_refuses_every_change(read_only):
    assert proxies.graphql(read_only, VERSION)

    assert proxies.graphql(read_only, DELETE) == {"__typename": "UnauthorizedError"}


def test_without_the_setting_the_ui_makes_changes(home):
    port = proxies.free_port()
    environment = proxies.clean_environment(DAGSTER_HOME=str(home))
    command = web_server(home, port)
    with proxies.running(command, port, env=environment, cwd=home):
        answer = proxies.graphql(f"http://127.0.0.1:{port}", DELETE)

    assert answer == {"__typename": "RunNotFoundError"}
