"""Portal and Dagster UI behind the proxies of docs/portal.md, whose recipes are run."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import proxies
import pytest
import trustme
import web_sessions

from benchmarks import ports

DOCS = proxies.ROOT / "docs" / "portal.md"
PORTAL = "cvms_pipeline.portal.site.serving"
PASSWORD = "four blue horses run fast"
DELETE = 'mutation { deleteRun(runId: "x") { __typename } }'
VERSION = "{ version }"


@dataclass(frozen=True, kw_only=True)
class Installed:
    """Portal and UI as processes, and where people reach both."""

    portal: str
    ui: str
    portal_port: int
    ui_port: int
    environment: dict[str, str]

    def cvms(self, *words: str) -> str:
        command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
        ended = subprocess.run(  # noqa: S603 # our own words
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return ended.stdout


@pytest.fixture(scope="module")
def installed(postgres, tmp_path_factory) -> Iterator[Installed]:
    """The portal on a migrated database; the UI is started with each proxy."""
    home, port = tmp_path_factory.mktemp("gate"), ports.find_free()
    with postgres.database("template0") as url:
        portal = f"https://localhost:{ports.find_free()}"
        ui = f"https://localhost:{ports.find_free()}"
        environment = proxies.clean_environment(
            CVMS_HOME=str(home),
            CVMS_DATABASE_URL=url.replace("+psycopg2", ""),
            CVMS_PORTAL_PORT=str(port),
            CVMS_PORTAL_URL=portal,
            CVMS_DAGSTER_URL=ui,
            CVMS_REQUIRE_SECOND_FACTOR="false",  # it has its own tests
        )
        made = Installed(
            portal=portal,
            ui=ui,
            portal_port=port,
            ui_port=ports.find_free(),
            environment=environment,
        )
        made.cvms("db", "upgrade")
        command = [sys.executable, "-m", PORTAL]
        chosen = {
            "database_url": environment["CVMS_DATABASE_URL"],
            "dagster_url": ui,
        }
        with (
            proxies.running(command, port, env=environment, cwd=home),
            proxies.dagster_ui(home, **chosen) as inner,
        ):
            yield Installed(
                **{
                    **{n: getattr(made, n) for n in made.__dataclass_fields__},
                    "ui_port": int(inner.rpartition(":")[2]),
                }
            )


def read_recipe(word: str) -> str:
    """Return the text of the docs in which a word stands."""
    fences = re.findall(r"^```\n(.*?)^```", DOCS.read_text("utf-8"), re.M | re.S)
    return "\n".join(fence for fence in fences if word in fence)


def _replace(recipe: str, installed: Installed) -> str:
    """Put this test's addresses in place of those of the docs."""
    for old, new in {
        "127.0.0.1:8080": f"127.0.0.1:{installed.portal_port}",
        "127.0.0.1:3000": f"127.0.0.1:{installed.ui_port}",
    }.items():
        assert old in recipe
        recipe = recipe.replace(old, new)
    return recipe


def _run_caddy(installed: Installed, folder: Path) -> tuple[list[str], dict[str, str]]:
    recipe = _replace(read_recipe("\treverse_proxy "), installed)
    recipe = recipe.replace("vaccines.example.org:8443", installed.ui)
    recipe = recipe.replace("vaccines.example.org {", f"{installed.portal} {{")
    options = f"admin off\nhttp_port {ports.find_free()}\nskip_install_trust\n"
    config = folder / "Caddyfile"
    config.write_text(f"{{\n{options}}}\n{recipe}", "utf-8")
    environment = proxies.clean_environment(
        XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder)
    )
    command = [proxies.program("caddy"), "run", "--config", str(config)]
    return command, environment


_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{recipe}
}}
"""


def _run_nginx(installed: Installed, folder: Path) -> tuple[list[str], dict[str, str]]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("NOT TESTED WITH NGINX: there is none; apt-get install nginx-light")
    portal, ui = (url.rpartition(":")[2] for url in (installed.portal, installed.ui))
    recipe = _replace(read_recipe("auth_request"), installed)
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{portal} ssl",
        "listen 8443 ssl": f"listen 127.0.0.1:{ui} ssl",
        "https://vaccines.example.org/": f"{installed.portal}/",
        "server_name vaccines.example.org": "server_name localhost",
        "/etc/ssl/vaccines.": f"{folder}/vaccines.",
    }.items():
        assert old in recipe
        recipe = recipe.replace(old, new)
    authority = trustme.CA()
    made = authority.issue_cert("localhost")
    made.private_key_and_cert_chain_pem.write_to_path(folder / "vaccines.pem")
    made.private_key_pem.write_to_path(folder / "vaccines.key")
    authority.cert_pem.write_to_path(folder / "root.crt")
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, recipe=recipe), "utf-8")
    options = ["-c", str(config), "-p", str(folder), "-e", "stderr"]
    return [program, *options], proxies.clean_environment()


PROXIES = {
    "caddy": (_run_caddy, "caddy/pki/authorities/local/root.crt"),
    "nginx": (_run_nginx, "root.crt"),
}


@pytest.fixture(scope="module", params=PROXIES)
def trust(request, installed, tmp_path_factory) -> Iterator[ssl.SSLContext]:
    """Run one of the proxies; return whom to believe."""
    run, authority = PROXIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    command, environment = run(installed, folder)
    port = int(installed.portal.rpartition(":")[2])
    with proxies.running(command, port, env=environment):
        for url in (f"{installed.portal}/-/healthy", f"{installed.portal}/"):
            proxies.eventually_speaks_tls(url, folder / authority)
        yield ssl.create_default_context(cafile=folder / authority)


@pytest.fixture
def log_in(installed, trust, request):
    """Add an account, set its password by its link, and log in through the proxy."""

    def do(name: str, *words: str) -> web_sessions.Session:
        address = f"{name}-{request.node.callspec.params['trust']}@example.org"
        added = installed.cvms("accounts", "add", address, *words, "--print", "--json")
        someone = web_sessions.Session(installed.portal, trust)
        someone.get(json.loads(added)["link"])
        someone.post("/accounts/set-password/", password=PASSWORD, again=PASSWORD)
        someone.get("/accounts/login/")
        page = someone.post("/accounts/login/", login=address, password=PASSWORD)
        assert "Log out" in page.text
        return someone

    return do


def _ask(someone, installed, query, **headers):
    data = json.dumps({"query": query}).encode()
    headers |= {"Content-Type": "application/json", "Origin": installed.ui}
    return someone.send(f"{installed.ui}/graphql", data, **headers)


def test_a_stranger_is_led_to_the_log_in(installed, trust):
    stranger = web_sessions.Session(installed.portal, trust)

    page = stranger.get(f"{installed.ui}/runs")

    assert page.status in (200, 401)
    assert "Log in" in page.text
    assert "version" not in _ask(stranger, installed, VERSION).text


def test_an_account_of_data_ops_uses_the_ui_and_the_audit_has_its_name(
    installed, log_in
):
    someone = log_in("ops", "--role", "data_ops")

    asked = _ask(someone, installed, VERSION)
    changed = _ask(someone, installed, DELETE)

    assert (asked.status, changed.status) == (200, 200)
    assert "RunNotFoundError" in changed.text
    (entry, *_) = json.loads(installed.cvms("audit", "--json"))
    assert entry["event"] == "dagster-changed"
    assert entry["actor"].startswith("portal:ops-")


def test_a_read_only_account_sees_and_changes_nothing_whatever_headers_it_sends(
    installed, log_in
):
    someone = log_in("looks", "--role", "data_ops", "--read-only")
    forged = {"X-Cvms-Access": "write", "X-Cvms-User": "boss@example.org"}

    asked = _ask(someone, installed, VERSION)
    refused = [_ask(someone, installed, DELETE, **more) for more in ({}, forged)]

    assert asked.status == 200
    assert [page.status for page in refused] == [403, 403]


def test_an_account_of_a_provider_reaches_no_ui(installed, log_in):
    words = ("--name", "Mercy", "--pin", "NCA123456", "--email", "staff@m.example.org")
    if "mercy" not in installed.cvms("providers", "list"):
        installed.cvms("providers", "add", "mercy", *words)
    someone = log_in("ann", "--provider", "mercy")

    assert _ask(someone, installed, VERSION).status in (401, 403)
    assert someone.get("/uploads/").status == 200
