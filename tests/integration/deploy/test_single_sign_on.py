"""Log-in by a log-in service: a real OpenID provider, and the portal as a process."""

import json
import subprocess
import sys
from pathlib import Path

import identity_provider
import proxies
import pytest
import web_sessions

PORTAL = "cvms_pipeline.portal.site.serving"
IDP = Path(identity_provider.__file__)
NAME = "State log-in"
CALLBACK = "/accounts/sso/callback/"
ADD = """
from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading
configuration.set_up(loading.load())
from allauth.mfa.totp.internal import auth
from cvms_pipeline.portal.accounts import models
for name in ("proven", "plain", "factor", "ann", "off", "twice", "twice"):
    address = f"{name}@mercy.example.org"
    made = models.Account.objects.add(address, models.Role.PROVIDER, provider="mercy")
    if name in ("proven", "factor"):
        auth.TOTP.activate(made, "A" * 32)
models.Account.objects.filter(email__startswith="off@").update(is_active=False)
"""


@pytest.fixture(scope="module")
def portal(postgres, tmp_path_factory):
    """The portal with the service beside it; its accounts are added."""
    home, port, idp = tmp_path_factory.mktemp("sso"), *_free_ports()
    url = f"http://127.0.0.1:{port}"
    with postgres.database("template0") as database_url:
        environment = proxies.clean_environment(
            CVMS_HOME=str(home),
            CVMS_DATABASE_URL=database_url.replace("+psycopg2", ""),
            CVMS_PORTAL_PORT=str(port),
            CVMS_SSO_URL=f"http://127.0.0.1:{idp}",
            CVMS_SSO_NAME=NAME,
            CVMS_SSO_CLIENT_ID=identity_provider.CLIENT,
            CVMS_SSO_CLIENT_SECRET=identity_provider.SECRET,
        )

        def cvms(*words):
            command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
            ended = subprocess.run(  # noqa: S603 # our own words
                command, env=environment, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        cvms("db", "upgrade")
        words = ("--name", "M", "--pin", "NCA123456", "--email", "staff@m.example.org")
        cvms("providers", "add", "mercy", *words)
        subprocess.run([sys.executable, "-c", ADD], env=environment, check=True)  # noqa: S603 # ours
        service = [sys.executable, str(IDP), str(idp), str(home), f"{url}{CALLBACK}"]
        with (
            proxies.running([sys.executable, "-m", PORTAL], port, env=environment),
            proxies.running(service, idp, env=environment),
        ):
            yield Portal(url, cvms, environment)


def _free_ports():
    return proxies.free_port(), proxies.free_port()


class Portal:
    def __init__(self, url, cvms, environment):
        self.url, self.cvms, self.environment = url, cvms, environment

    def log_in(self, name, start="/accounts/sso/"):
        """Follow the link to the service, log in there, and come back."""
        someone = web_sessions.Session(self.url)
        page = someone.get(start)
        typed = {"login": name, "password": identity_provider.PASSWORD}
        return someone, someone.post(page.url, **typed)


def test_the_log_in_page_offers_it(portal):
    page = web_sessions.Session(portal.url).get("/accounts/login/?next=/team/")

    assert f'href="/accounts/sso/?next=/team/">Log in with {NAME}</a>' in page.text


def test_who_has_proven_a_second_factor_there_needs_none_here(portal):
    someone, page = portal.log_in("proven", "/accounts/sso/?next=/team/")

    assert page.url == f"{portal.url}/team/"
    assert someone.get("/uploads/").status == 200
    assert "Set up a second factor" not in someone.get("/accounts/factors/").text
    (entry, *_) = json.loads(portal.cvms("audit", "--json"))
    assert entry["event"] == "logged-in"
    assert entry["details"]["by"] == "single-sign-on"
    assert entry["actor"] == "portal:proven@mercy.example.org"


def test_who_has_proven_none_is_asked_for_the_one_of_the_portal(portal):
    someone, page = portal.log_in("factor")

    assert page.url == f"{portal.url}/accounts/factors/log-in/"
    assert someone.get("/uploads/").url == page.url


def test_who_has_proven_none_sets_one_up_before_anything_else(portal):
    someone, page = portal.log_in("plain")

    assert page.url == f"{portal.url}/accounts/factors/"
    assert "Set up a second factor to go on." in page.text
    assert someone.get("/uploads/").url == f"{portal.url}/accounts/factors/"


REFUSED = [
    ("stranger", "There is no account with the e-mail address"),
    ("unverified", "There is no account with the e-mail address"),
    ("off", "There is no account with the e-mail address"),
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_who_has_no_account_is_not_logged_in(portal, name, text):
    someone, page = portal.log_in(name)

    assert page.status == 403
    assert text in page.text
    assert someone.get("/uploads/").url.startswith(f"{portal.url}/accounts/login/")
    (entry, *_) = json.loads(portal.cvms("audit", "--json"))
    assert entry["event"] == "log-in-refused"
    assert entry["details"]["because"] == "single-sign-on"
    assert "example.org" not in json.dumps(entry)


def test_who_has_several_accounts_chooses_one(portal):
    someone, page = portal.log_in("twice", "/accounts/sso/?next=/team/")
    assert page.url == f"{portal.url}/accounts/sso/choose/"
    assert someone.get("/uploads/").url.startswith(f"{portal.url}/accounts/login/")

    someone.get("/accounts/sso/choose/")
    foreign = someone.post("/accounts/sso/choose/", account="ann@mercy.example.org")
    chosen = someone.post("/accounts/sso/choose/", account="twice@mercy.example.org.2")

    assert foreign.url == f"{portal.url}/accounts/sso/choose/"
    assert chosen.url == f"{portal.url}/team/"
    assert "twice@mercy.example.org.2 (you)" in chosen.text
    assert "Choose your account" not in someone.get("/accounts/sso/choose/").text


def test_an_answer_that_was_not_asked_for_logs_nobody_in(portal):
    someone = web_sessions.Session(portal.url)

    page = someone.get(f"{CALLBACK}?code=stolen&state=guessed")

    assert page.status == 403
    assert "was not finished" in page.text


def test_nobody_connects_the_service_to_an_account(portal):
    _, page = portal.log_in("stranger", "/accounts/sso/?process=connect")

    assert page.status == 403


def test_the_metrics_count_answers_and_refusals_of_the_portal(portal):
    portal.log_in("stranger")
    web_sessions.Session(portal.url).get("/canarywood/?q=canarywood")
    port = proxies.free_port()
    environment = {**portal.environment, "CVMS_METRICS_PORT": str(port)}
    command = [sys.executable, "-m", "cvms_pipeline.local.metrics", "--no-processes"]

    with proxies.running(command, port, env=environment):
        _, text = proxies.ask(f"http://127.0.0.1:{port}/metrics")

    ours = [line for line in text.splitlines() if line.startswith("cvms_portal_")]
    names = {line.rpartition(" ")[0] for line in ours}
    assert 'cvms_portal_log_ins_refused_total{because="single-sign-on"}' in names
    assert 'cvms_portal_answers_total{page="sso",status="3xx"}' in names
    assert 'cvms_portal_answers_total{page="unknown page",status="4xx"}' in names
    assert "canarywood" not in text
