"""Sessions: their end, what extends them, and that a copied cookie is worth nothing."""

import time

import portals
import pytest
from django.core.cache import cache

from cvms_pipeline.portal.accounts import administration, middleware
from cvms_pipeline.portal.site import limits

ENDED = "You were logged out, because nothing was done for 30 minutes. Log in again."


@pytest.fixture
def at(monkeypatch):
    """Set the clock of the sessions forward."""
    now = time.time()

    def forward(seconds):
        monkeypatch.setattr("time.time", lambda: now + seconds)

    return forward


def _is_in(browser):
    return browser.get("/uploads/").status_code == 200


def test_a_session_ends_after_30_minutes_without_a_request(site, at):
    browser = site.browser_of(site.add_account())
    assert _is_in(browser)

    at(limits.IDLE_SECONDS + 1)
    answer = browser.get("/uploads/", follow=True)

    assert ENDED in portals.text_of(answer)


def test_every_request_of_a_person_extends_it(site, at):
    browser = site.browser_of(site.add_account())
    for minutes in range(0, 100, 20):
        at(minutes * 60)
        assert _is_in(browser)


def test_asking_how_long_it_lives_does_not_extend_it(site, at):
    browser = site.browser_of(site.add_account())
    assert _is_in(browser)

    at(20 * 60)
    assert browser.get("/session/").json() == {"seconds": 10 * 60}
    at(29 * 60)
    assert browser.get("/session/").json() == {"seconds": 60}
    at(31 * 60)

    assert not _is_in(browser)


def test_staying_logged_in_extends_it(site, at):
    browser = site.browser_of(site.add_account())
    assert _is_in(browser)

    at(29 * 60)
    assert browser.post("/session/").json() == {"seconds": limits.IDLE_SECONDS}
    at(50 * 60)

    assert _is_in(browser)


def test_it_ends_after_12_hours_whatever_is_done(site, at):
    browser = site.browser_of(site.add_account())
    for minutes in range(0, 12 * 60, 25):
        at(minutes * 60)
        assert _is_in(browser)

    at(12 * 3600 + 1)

    assert not _is_in(browser)


def _log_out(site, account, browser):
    browser.post("/accounts/logout/")


def _disable(site, account, browser):
    administration.disable(site.pipeline, account)


def _change_the_password(site, account, browser):
    account.set_password("another one of these")
    account.save()


def _end_all(site, account, browser):
    middleware.end_sessions(account)


@pytest.mark.parametrize("end", [_log_out, _disable, _change_the_password, _end_all])
def test_a_copied_cookie_is_worth_nothing_after_the_end(site, end):
    account = site.add_account()
    browser, thief = site.browser(), site.browser()
    site.log_in(browser, account.username)
    thief.cookies["cvms_session"] = browser.cookies["cvms_session"].value
    assert _is_in(thief)

    end(site, account, browser)

    assert not _is_in(thief)


def test_log_out_tells_the_browser_to_forget(site):
    browser = site.browser_of(site.add_account())

    answer = browser.post("/accounts/logout/")

    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_somebody_sees_all_sessions_and_ends_the_others(site):
    account = site.add_account()
    here, there = site.browser(), site.browser(HTTP_USER_AGENT="Another browser")
    site.log_in(there, account.username)
    cache.clear()  # a code works once, and this half minute has no other
    site.log_in(here, account.username)

    listed = portals.text_of(here.get("/accounts/sessions/"))
    here.post("/accounts/sessions/")

    assert "Another browser" in listed
    assert "this one" in listed
    assert (_is_in(here), _is_in(there)) == (True, False)


def test_what_was_typed_when_the_session_has_ended_can_be_sent_again(site, at):
    browser = site.browser_of(site.add_account())
    assert _is_in(browser)
    at(limits.IDLE_SECONDS + 1)

    answer = browser.post("/team/", {"address": "bob@mercy.example.org"})

    assert answer.status_code == 403
    assert 'name="address" value="bob@mercy.example.org"' in answer.content.decode()
    assert "You were logged out" in portals.text_of(answer)
