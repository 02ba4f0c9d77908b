"""The pages that are there only where single sign-on is: fit for everybody, too."""

import time

import pytest

from tests.browser import looks

NARROW = {"width": 320, "height": 640}


@pytest.fixture
def with_service(settings_):
    settings_(sso_name="the State of North Carolina")


def _find_faults(tab):
    wide = looks.find_barriers(tab)
    faults = looks.find_keyboard_faults(tab)
    tab.set_viewport_size(NARROW)
    return [fault for fault in (wide, *faults, *looks.find_overflow(tab)) if fault]


def test_the_log_in_page_offers_it(visitor, with_service):
    someone = visitor()
    someone.open("/accounts/login/")

    name = "Log in with the State of North Carolina"
    assert someone.page.get_by_role("link", name=name).is_visible()
    assert _find_faults(someone.page) == []


def test_who_has_several_accounts_is_asked_for_one(site, visitor, with_service):
    from django.contrib.sessions.backends.db import SessionStore

    first, second = site.add_account(), site.add_account(role="data_ops")
    someone = visitor(first)
    (cookie,) = [c for c in someone.context.cookies() if c["name"] == "cvms_session"]
    session = SessionStore(cookie["value"])
    session["cvms_sso_choice"] = {
        "accounts": [str(first.pk), str(second.pk)],
        "until": time.time() + 600,
        "login": {},
    }
    session.save()
    someone.open("/accounts/sso/choose/")

    assert someone.heading == "Choose your account"
    for account in (first, second):
        name = f"Log in as {account.username}"
        assert someone.page.get_by_role("button", name=name, exact=True).is_visible()
    assert _find_faults(someone.page) == []
