"""Links to set a password: mailed, used once, and the same answer to everybody."""

import re
import time
import types

import portals
import pytest

from cvms_pipeline.portal.accounts import administration, models
from cvms_pipeline.portal.site import pace
from cvms_pipeline.use_cases import deliver

DEAD = "This link is no longer valid"
NEW = {"password": "seven grey mice 4", "again": "seven grey mice 4"}


def _send(site, account, reason=administration.LinkReason.INVITED):
    administration.send_link(site.pipeline, account, reason)


def _read_mail(site):
    """Deliver what waits, and return the messages."""
    deliver.send_alerts(site.pipeline)
    return site.installation.mail()


def _find_path(message):
    body = message.get_body(("plain",)).get_content()
    return re.search(r"http://[^/]+(/accounts/set-password/\S+)", body)[1]


def _add_invited(site, address="new@mercy.example.org"):
    return models.Account.objects.add(address, models.Role.PROVIDER, provider="mercy")


def test_a_new_account_is_mailed_its_username_and_a_link(site):
    account = _add_invited(site)
    _send(site, account)

    (message,) = _read_mail(site)

    text = message.get_body(("plain",)).get_content()
    assert message["To"] == "new@mercy.example.org"
    assert message["Subject"] == "Your account for the Vaccine Management System"
    assert "Your username: new@mercy.example.org" in text
    assert "The link works once, until " in text


def test_the_link_sets_a_password_with_which_one_logs_in(site):
    account = _add_invited(site)
    _send(site, account)
    browser = site.browser()

    opened = browser.get(_find_path(_read_mail(site)[0]))
    answer = browser.post(opened["Location"], NEW)

    assert opened["Location"] == "/accounts/set-password/"
    assert answer["Location"] == "/accounts/login/"
    logged_in = site.type_password(browser, account.username, NEW["password"])
    assert logged_in["Location"] == "/"


def test_opening_the_link_often_does_not_use_it(site):
    _send(site, _add_invited(site))
    path = _find_path(_read_mail(site)[0])

    for _ in range(3):
        scanner = site.browser()
        assert scanner.get(path, follow=True).status_code == 200
        assert scanner.head(path, follow=True).status_code == 200

    assert site.browser().get(path, follow=True).status_code == 200


def _use_it(site, account, path):
    browser = site.browser()
    browser.get(path)
    browser.post("/accounts/set-password/", NEW)


def _send_a_newer_one(site, account, path):
    _send(site, account)


def _disable(site, account, path):
    administration.disable(site.pipeline, account)


def _wait(site, account, path):
    site.installation.clock.forward(days=15)


@pytest.mark.parametrize("end", [_use_it, _send_a_newer_one, _disable, _wait])
def test_a_link_ends(site, end):
    account = _add_invited(site)
    _send(site, account)
    path = _find_path(_read_mail(site)[0])
    end(site, account, path)
    browser = site.browser()

    answer = browser.get(path, follow=True)

    assert answer.status_code == 410
    assert DEAD in portals.text_of(answer)
    assert browser.post("/accounts/set-password/", NEW).status_code == 410


@pytest.mark.parametrize("token", ["x", ".eJw", "a.b", "%00", "é"])
def test_a_link_that_was_not_made_here_answers_like_one_that_has_ended(site, token):
    browser = site.browser()

    answer = browser.get(f"/accounts/set-password/{token}/", follow=True)

    assert (answer.status_code, DEAD in portals.text_of(answer)) == (410, True)


def test_two_at_once_use_a_link_once(site):
    account = _add_invited(site)
    nonce = account.renew_nonce()
    first = models.Account.objects.get(pk=account.pk)
    second = models.Account.objects.get(pk=account.pk)

    done = [first.set_password_by_link("first"), second.set_password_by_link("second")]

    account.refresh_from_db()
    assert nonce
    assert done == [True, False]
    assert account.check_password("first")


def test_a_new_password_ends_every_session(site):
    account = site.add_account()
    browser = site.browser()
    site.log_in(browser, account.username)
    _send(site, account, administration.LinkReason.FORGOTTEN)
    _use_it(site, account, _find_path(_read_mail(site)[0]))

    answer = browser.get("/uploads/")

    assert answer["Location"].startswith("/accounts/login/")
    assert [e["event"] for e in site.audit("link-queued", "password-set")] == [
        "link-queued",
        "password-set",
    ]


def test_a_forgotten_password_is_answered_alike_for_everybody(site, monkeypatch):
    known = site.add_account()
    off = site.add_account("off@mercy.example.org")
    administration.disable(site.pipeline, off)
    waited = []
    # Only the clock of one module: threads of earlier tests sleep by the module.
    clock = types.SimpleNamespace(monotonic=time.monotonic, sleep=waited.append)
    monkeypatch.setattr(pace, "time", clock)

    answers = {
        (answer.status_code, answer["Location"])
        for name in (known.username, off.username, "nobody@example.org", "x")
        if (answer := site.browser().post("/accounts/forgot/", {"username": name}))
    }

    assert answers == {(302, "/accounts/forgot/sent/")}
    assert len(waited) == 4
    assert [m["To"] for m in _read_mail(site)] == [known.email]


def test_the_message_about_a_forgotten_password_says_who_may_have_asked(site):
    known = site.add_account()
    site.browser().post("/accounts/forgot/", {"username": known.username})

    (message,) = _read_mail(site)

    text = message.get_body(("plain",)).get_content()
    assert message["Subject"] == "Set a new password for the Vaccine Management System"
    assert "Somebody, probably you, has asked for a new password." in text


def test_nobody_is_mailed_more_than_five_links_an_hour(site):
    known = site.add_account()

    for _ in range(7):
        site.browser().post("/accounts/forgot/", {"username": known.username})

    assert len(site.audit("link-queued")) == 5


def test_the_outbox_holds_no_link(site):
    account = _add_invited(site)
    _send(site, account)
    path = _find_path(_read_mail(site)[0])
    token = path.split("/")[3]

    with site.pipeline.store.begin() as conn:
        stored = repr(conn.exec_driver_sql("SELECT * FROM cvms.messages").all())

    assert account.username in stored
    assert token not in stored


def test_the_token_is_in_no_page_and_leaves_the_address(site):
    _send(site, _add_invited(site))
    path = _find_path(_read_mail(site)[0])
    browser = site.browser()

    page = browser.get(path, follow=True)

    assert path.split("/")[3] not in page.content.decode()
    assert page.redirect_chain == [("/accounts/set-password/", 302)]


def test_two_different_passwords_are_refused(site):
    _send(site, _add_invited(site))
    browser = site.browser()
    browser.get(_find_path(_read_mail(site)[0]))

    answer = browser.post("/accounts/set-password/", {**NEW, "again": "other"})

    assert answer.status_code == 422
    assert "Type the same password in both fields." in portals.text_of(answer)
