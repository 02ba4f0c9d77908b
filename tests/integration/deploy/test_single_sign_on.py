"""Log-in by a log-in service: a real OpenID provider, and the portal as a process."""

import json
import sys
from pathlib import Path

import identity_provider
import log_in_services
import proxies
import pytest

from benchmarks import ports

IDP = Path(identity_provider.__file__)
NAME = "State log-in"
CALLBACK = "/accounts/sso/callback/"


@pytest.fixture(scope="module")
def portal(postgres, tmp_path_factory):
    """The portal with the service beside it; its accounts are added."""
    home, port, idp = tmp_path_factory.mktemp("sso"), *_free_ports()
    url = f"http://127.0.0.1:{port}"
    chosen = {
        "CVMS_SSO_URL": f"http://127.0.0.1:{idp}",
        "CVMS_SSO_NAME": NAME,
        "CVMS_SSO_CLIENT_ID": identity_provider.CLIENT,
        "CVMS_SSO_CLIENT_SECRET": identity_provider.SECRET,
    }
    service = [sys.executable, str(IDP), str(idp), str(home), f"{url}{CALLBACK}"]
    with (
        postgres.database("template0") as database_url,
        log_in_services.running(database_url, home, port=port, **chosen) as made,
        proxies.running(service, idp, env=made.environment),
    ):
        yield made


def _free_ports():
    return ports.find_free(), ports.find_free()


def log_in(portal, name, start="/accounts/sso/"):
    """Follow the link to the service, log in there, and come back."""
    someone = portal.visit()
    page = someone.get(start)
    typed = {"login": name, "password": identity_provider.PASSWORD}
    return someone, someone.post(page.url, **typed)


def test_the_log_in_page_offers_it(portal):
    page = portal.visit().get("/accounts/login/?next=/team/")

    assert f'href="/accounts/sso/?next=/team/">Log in with {NAME}</a>' in page.text


def test_who_has_proven_a_second_factor_there_needs_none_here(portal):
    someone, page = log_in(portal, "proven", "/accounts/sso/?next=/team/")

    assert page.url == f"{portal.url}/team/"
    assert someone.get("/uploads/").status == 200
    assert "Set up a second factor" not in someone.get("/accounts/factors/").text
    (entry, *_) = json.loads(portal.cvms("audit", "--json"))
    assert entry["event"] == "logged-in"
    assert entry["details"]["by"] == "single-sign-on"
    assert entry["actor"] == "portal:proven@mercy.example.org"


def test_who_has_proven_none_is_asked_for_the_one_of_the_portal(portal):
    someone, page = log_in(portal, "factor")

    assert page.url == f"{portal.url}/accounts/factors/log-in/"
    assert someone.get("/uploads/").url == page.url


def test_who_has_proven_none_sets_one_up_before_anything_else(portal):
    someone, page = log_in(portal, "plain")

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
    someone, page = log_in(portal, name)

    assert page.status == 403
    assert text in page.text
    assert someone.get("/uploads/").url.startswith(f"{portal.url}/accounts/login/")
    (entry, *_) = json.loads(portal.cvms("audit", "--json"))
    assert entry["event"] == "log-in-refused"
    assert entry["details"]["because"] == "single-sign-on"
    assert "example.org" not in json.dumps(entry)


def test_who_has_several_accounts_chooses_one(portal):
    someone, page = log_in(portal, "twice", "/accounts/sso/?next=/team/")
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
    someone = portal.visit()

    page = someone.get(f"{CALLBACK}?code=stolen&state=guessed")

    assert page.status == 403
    assert "was not finished" in page.text


def test_pages_of_another_kind_of_service_are_not_there(portal):
    someone = portal.visit()
    paths = [f"/accounts/sso/saml/{page}" for page in ("finish/", "metadata/")]

    found = [someone.get(path).status for path in paths]

    sent = someone.post_from_elsewhere("/accounts/sso/saml/", SAMLResponse="PHg+")
    assert [*found, sent.status] == [404, 404, 404]


def test_nobody_connects_the_service_to_an_account(portal):
    _, page = log_in(portal, "stranger", "/accounts/sso/?process=connect")

    assert page.status == 403


def test_the_metrics_count_answers_and_refusals_of_the_portal(portal):
    log_in(portal, "stranger")
    portal.visit().get("/canarywood/?q=canarywood")
    port = ports.find_free()
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
