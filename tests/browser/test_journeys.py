"""What people do over several pages, with and without JavaScript."""

import re

import pytest
from portals import PASSWORD, SECRET, make_code

from cvms_pipeline.portal.accounts import administration
from tests.browser import visits

NEW = "seven grey mice 4"
with_and_without = pytest.mark.parametrize(
    "scripted", [True, False], ids=["with JavaScript", "without"]
)


@pytest.fixture
def someone(visitor, scripted) -> visits.Visitor:
    return visitor(java_script_enabled=scripted)


def _type_password(someone, username, password=PASSWORD):
    someone.open("/accounts/login/")
    someone.fill(login=username, password=password)
    someone.press("Log in")


@with_and_without
def test_an_account_logs_in_with_both_factors_and_out_again(site, someone):
    account = site.add_account()

    _type_password(someone, account.username)
    assert someone.heading == "Second factor"
    someone.fill(code=make_code())
    someone.press("Log in")
    assert someone.heading == "Bulk Registration"
    someone.press("Log out")

    assert someone.heading == "Log in"
    someone.open("/uploads/")
    assert someone.heading == "Log in"


@with_and_without
def test_who_is_invited_sets_a_password_and_a_second_factor(site, someone):
    account = site.add_account(has_factor=False)
    link = administration.print_link(site.pipeline, account)

    someone.open("/" + link.split("/", 3)[3])
    assert someone.page.url.endswith("/accounts/set-password/")  # without the token
    someone.fill(password=NEW, again=NEW)
    someone.press("Set the password")
    _type_password(someone, account.username, NEW)
    assert "Set up a second factor to go on" in someone.page.inner_text("main")
    someone.page.get_by_role("link", name="Set up an app").click()
    secret = someone.page.locator("main p code").inner_text()
    someone.fill(code=make_code(secret=secret))
    someone.press("Set it up")

    assert someone.heading == "Recovery codes"
    someone.page.get_by_role("link", name="Go on").click()
    assert someone.heading == "Bulk Registration"


@with_and_without
def test_a_colleague_is_invited_and_disabled(site, someone):
    site.add_account("bob@mercy.example.org")
    someone.log_in_by_cookie(site, site.add_account())

    someone.open("/team/")
    someone.fill(address="cleo@mercy.example.org")
    someone.press("Invite")
    someone.press("Disable bob@mercy.example.org")

    table = someone.page.inner_text("table")
    assert "bob@mercy.example.org can no longer log in." in _read_messages(someone)
    assert re.search(r"bob@mercy.example.org\s+disabled", table)
    assert re.search(r"cleo@mercy.example.org\s+invited", table)


def _read_messages(someone):
    return someone.page.locator(".message").all_inner_texts()


def test_a_security_key_is_added_and_logs_in(site, visitor, address):
    account = site.add_account()
    ann = visitor(base=address.replace("127.0.0.1", "localhost"))  # keys want a name
    _plug_in_a_key(ann)
    _type_password(ann, account.username)
    ann.fill(code=make_code())
    ann.press("Log in")

    ann.open("/accounts/factors/keys/add/")
    ann.fill(name="The blue key")
    ann.press("Add the key")
    ann.page.get_by_text("The security key is added.").wait_for()
    ann.open("/accounts/factors/keys/")
    assert "The blue key" in ann.page.inner_text("main")
    ann.press("Log out")
    _type_password(ann, account.username)
    ann.press("Use a security key")
    ann.page.wait_for_url("**/bulk/")

    assert ann.heading == "Bulk Registration"


def _plug_in_a_key(someone):
    session = someone.context.new_cdp_session(someone.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_recovery_codes_are_saved_as_a_file(site, visitor):
    ann = visitor(site.add_account())
    ann.open("/accounts/factors/codes/")
    shown = ann.page.locator(".codes code").all_inner_texts()

    with ann.page.expect_download() as saved:
        ann.page.get_by_role("link", name="Download them").click()

    content = saved.value.path().read_text("utf-8")
    assert shown
    assert [code for code in shown if code not in content] == []
    assert SECRET not in content
