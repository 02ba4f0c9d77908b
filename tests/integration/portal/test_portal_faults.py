"""Faults: a reference number and no internals; what was typed is kept; quiet logs."""

import logging
import re

import installations
import portals
import pytest
from django import db
from django.core import management

from cvms_pipeline.portal.provider import uploads
from cvms_pipeline.portal.site import configuration
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import history
from tests import canaries

CANARY = "Zebulonia,Quackenbush,13/41/1931,bird@nest.example"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_fault_shows_a_reference_number_that_the_log_has(site, log, monkeypatch):
    browser = site.browser_of(site.add_account(), raise_request_exception=False)

    def fail(*_args, **_options):
        raise ValueError("canary.bird@nest.example")

    monkeypatch.setattr(uploads.own_uploads, "list_own_uploads", fail)
    answer = browser.get("/uploads/?q=Quackenbush")

    text = portals.text_of(answer)
    (reference,) = re.findall(r"tell the help desk the reference (\w+)", text)
    assert answer.status_code == 500
    assert f"fault {reference} in uploads: ValueError at portal/provider" in log.text
    assert canaries.find(answer.content) == []
    ours = [r.getMessage() for r in log.records if r.name == "cvms.portal"]
    assert canaries.find("\n".join(ours)) == []


def test_while_the_database_is_away_what_was_typed_is_kept(site):
    browser = site.browser_of(site.add_account(), raise_request_exception=False)
    db.connections["default"].close()
    db.connections["default"].settings_dict["NAME"] = "away"

    answer = browser.post("/team/", {"address": "bob@mercy.example.org"})

    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "Not available at the moment" in portals.text_of(answer)
    assert 'name="address" value="bob@mercy.example.org"' in page
    assert 'name="csrfmiddlewaretoken"' in page


def test_no_page_address_or_log_has_a_name(site, log):
    found = site.installation.bring([CANARY])
    browser = site.browser_of(site.add_account())

    for path in (
        "/uploads/",
        f"/uploads/{found}/BulkError.csv",
        "/uploads/nest.example/",
    ):
        browser.get(path)
    answer = browser.get(f"/uploads/{found}/")

    ours = [r.getMessage() for r in log.records if r.name == "cvms.portal"]
    assert len(ours) == 4
    assert canaries.find("\n".join(ours)) == []
    assert answer["Cache-Control"] == "no-store"


def test_an_upload_shows_its_counts_and_each_reason(site):
    found = site.installation.bring([installations.ANN, installations.BAD])
    browser = site.browser_of(site.add_account())

    text = portals.text_of(browser.get(f"/uploads/{found}/"))
    report = browser.get(f"/uploads/{found}/BulkError.csv")

    assert "Rows in file 2 Loaded 1 of which updated 0 Rejected 1" in text
    assert "LastName of line 3 Fill in this field." in text
    assert "Date of birth of line 3 Invalid Date of birth: 13/41/1991." in text
    assert report["Content-Disposition"] == 'attachment; filename="BulkError.csv"'
    assert report.content == site.pipeline.reports.read(found)
    readers = {
        each.actor
        for each in history.list_audit_entries(site.pipeline, limit=100)
        if each.event == "report-read"
    }
    assert readers == {"portal:ann@mercy.example.org"}


HEADERS = {
    "Content-Security-Policy": configuration.CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize("path", ["/accounts/login/", "/nothing/", "/"])
def test_every_answer_has_the_headers(site, path):
    answer = site.browser().get(path)

    assert {name: answer[name] for name in HEADERS} == HEADERS


def test_a_host_name_that_is_not_ours_is_refused(site):
    answer = site.browser().get("/accounts/login/", headers={"host": "evil.example"})

    assert answer.status_code == 400


def test_forwarded_headers_are_believed_of_named_proxies_only(site, settings_):
    settings_(proxies=frozenset({"10.0.0.7"}))
    forged = {"x-forwarded-for": "198.51.100.9", "x-forwarded-proto": "https"}

    def ask(peer):
        browser = site.browser(REMOTE_ADDR=peer)
        return browser.get("/accounts/login/", headers=forged).wsgi_request

    believed, dropped = ask("10.0.0.7"), ask("10.0.0.8")
    assert (believed.META["REMOTE_ADDR"], believed.is_secure()) == (
        "198.51.100.9",
        True,
    )
    assert (dropped.META["REMOTE_ADDR"], dropped.is_secure()) == ("10.0.0.8", False)


def test_the_settings_are_fit_for_the_public(site, monkeypatch):
    from django import test

    url = "https://vaccines.example.org"
    chosen = loading.load(portal_url=url)
    described = configuration.describe(
        chosen,
        url=chosen.urls.portal,
        key="0123456789abcdef" * 4,
        pipeline=site.pipeline,
    )
    changed = {k: v for k, v in described.items() if k not in ("DATABASES", "CACHES")}

    with test.override_settings(**changed):
        management.call_command("check", deploy=True, fail_level="INFO")

    assert described["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert described["ALLOWED_HOSTS"] == [
        "127.0.0.1",
        "[::1]",
        "localhost",
        "vaccines.example.org",
    ]
