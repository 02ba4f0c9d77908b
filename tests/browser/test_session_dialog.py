"""The dialog before a session ends: by the server's clock, in all tabs, and spoken."""

import time

import pytest
from playwright.sync_api import expect

from cvms_pipeline.portal.site import limits

_SOON = limits.IDLE_SECONDS - 60
"""Seconds after which a session has one minute left."""

_TEXT = (
    "You will be logged out in less than a minute, because nothing was done for a"
    " while."
)
_LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
"""What a browser says when a tab is looked at again."""


@pytest.fixture
def forward(monkeypatch):
    """Set the server's clock forward; those of the browsers stay."""
    now = time.time

    def by(seconds):
        monkeypatch.setattr("time.time", lambda: now() + seconds)

    return by


@pytest.fixture
def ann(site, visitor):
    return visitor(site.add_account())


def _dialog(tab):
    return tab.get_by_role("dialog", name="Are you still there?")


def test_it_asks_by_the_clock_of_the_server_and_is_spoken(ann, forward):
    ann.open("/uploads/")
    expect(_dialog(ann.page)).to_have_count(0)

    forward(_SOON)
    ann.page.evaluate(_LOOK)

    expect(_dialog(ann.page)).to_be_visible()
    text = _dialog(ann.page).locator("[aria-live=polite]")
    expect(text).to_have_text(_TEXT)
    expect(_dialog(ann.page)).to_have_accessible_description(_TEXT)
    assert ann.page.evaluate("document.activeElement.value") == "stay"


def test_who_stays_in_one_tab_stays_in_the_other(ann, forward):
    ann.open("/uploads/")
    other = ann.context.new_page()
    other.goto("/team/")
    forward(_SOON)
    for tab in (ann.page, other):
        tab.evaluate(_LOOK)
        expect(_dialog(tab)).to_be_visible()

    ann.page.get_by_role("button", name="Stay logged in").click()

    expect(_dialog(ann.page)).to_have_count(0)
    other.evaluate(_LOOK)
    expect(_dialog(other)).to_have_count(0)
    forward(2 * _SOON)
    assert ann.open("/uploads/").status == 200
    assert ann.heading == "Uploads"


def test_the_escape_key_stays_logged_in(ann, forward):
    ann.open("/uploads/")
    forward(_SOON)
    ann.page.evaluate(_LOOK)
    expect(_dialog(ann.page)).to_be_visible()

    ann.page.keyboard.press("Escape")

    expect(_dialog(ann.page)).to_have_count(0)
    forward(2 * _SOON)
    ann.open("/uploads/")
    assert ann.heading == "Uploads"


def test_asking_alone_extends_nothing(ann, forward):
    ann.open("/uploads/")
    forward(_SOON)
    ann.page.evaluate(_LOOK)
    expect(_dialog(ann.page)).to_be_visible()

    forward(limits.IDLE_SECONDS + 1)
    ann.page.evaluate(_LOOK)

    ann.page.wait_for_url("**/accounts/login/**")
    assert ann.page.url.endswith("?next=%2Fuploads%2F")


def test_a_form_that_is_sent_after_the_end_is_sent_again_after_a_new_log_in(
    site, visitor, forward
):
    account = site.add_account()
    ann = visitor(account, java_script_enabled=False)  # no dialog has come
    ann.open("/team/")
    ann.fill(address="bob@mercy.example.org")
    forward(limits.IDLE_SECONDS + 1)

    ann.press("Invite")
    assert ann.heading == "You were logged out"
    with ann.context.expect_page() as opened:
        ann.page.get_by_role("link", name="Log in again in a new tab").click()
    _log_in(opened.value, account)
    ann.press("Send it again")  # with the token of the session that has ended
    assert ann.heading == "This page was open for too long"
    ann.press("Send it again")

    assert "bob@mercy.example.org gets a message" in ann.page.inner_text("main")


def _log_in(tab, account):
    from portals import PASSWORD, make_code

    tab.fill("[name=login]", account.username)
    tab.fill("[name=password]", PASSWORD)
    tab.get_by_role("button", name="Log in").click()
    tab.fill("[name=code]", make_code(time.time()))
    tab.get_by_role("button", name="Log in").click()
    tab.get_by_role("button", name="Log out").wait_for()
