"""Somebody registers: a link by mail, and the same answer for everybody."""

import re
import threading
import time
import types

import portals
import pytest
from django import db

from cvms_pipeline.portal.accounts import administration, models
from cvms_pipeline.portal.help_desk import registration
from cvms_pipeline.portal.site import pace
from cvms_pipeline.use_cases import deliver

TYPED = {
    "first_name": "Rosa",
    "last_name": "Diaz",
    "address": "Rosa@clinic.example.org",
}
ROSA = "rosa@clinic.example.org"
NEW = "four blue horses run fast"


def _register(site, **typed):
    return site.browser().post("/register/", {**TYPED, **typed})


def _read_mail(site):
    deliver.send_alerts(site.pipeline)
    return site.installation.mail()


def _find_path(message):
    body = message.get_body(("plain",)).get_content()
    return re.search(r"http://[^/]+(/accounts/set-password/\S+)", body)[1]


def test_who_registers_sets_a_password_and_needs_no_second_factor(site):
    answer = _register(site)
    (message,) = _read_mail(site)
    browser = site.browser()
    opened = browser.get(_find_path(message))
    shown = browser.get(opened["Location"])
    refused = [
        browser.post(opened["Location"], {"password": word, "again": word})
        for word in ("seven grey mic", "my name is diaz, rosa")
    ]
    set_ = browser.post(opened["Location"], {"password": NEW, "again": NEW})
    entered = site.type_password(browser, ROSA, NEW)

    assert answer["Location"] == "/register/sent/"
    assert message["To"] == ROSA
    assert "At least 15 characters" in portals.text_of(shown)
    assert [each.status_code for each in refused] == [422, 422]
    assert "without your name" in portals.text_of(refused[1])
    assert (set_["Location"], entered["Location"]) == ("/accounts/login/", "/")
    assert browser.get("/")["Location"] == "/cases/"
    account = models.Account.objects.get()
    facts = (account.role, account.first_name, account.last_name, account.email)
    assert facts == ("requester", "Rosa", "Diaz", ROSA)
    assert "Rosa" not in repr(site.audit("account-added", "link-queued"))


def test_what_is_missing_is_named(site):
    answer = site.browser().post("/register/", {"address": "no address"})

    text = portals.text_of(answer)
    assert answer.status_code == 422
    assert "Type your first name." in text
    assert "Type your last name." in text
    assert "Enter a valid email address." in text


def test_the_answer_is_the_same_for_everybody(site, monkeypatch):
    known = site.add_account("known@clinic.example.org", role="requester")
    provider = site.add_account("ann@mercy.example.org")
    off = site.add_account("off@clinic.example.org", role="requester")
    administration.disable(site.pipeline, off)
    waited = []
    clock = types.SimpleNamespace(monotonic=time.monotonic, sleep=waited.append)
    monkeypatch.setattr(pace, "time", clock)

    answers = {
        (answer.status_code, answer["Location"])
        for each in (known.email, provider.email, off.email, "new@clinic.example.org")
        if (answer := _register(site, address=each))
    }

    assert answers == {(302, "/register/sent/")}
    assert len(waited) == 4
    told = {m["To"]: m["Subject"] for m in _read_mail(site)}
    assert told == {
        known.email: "Set a new password for the Vaccine Management System",
        provider.email: "Set a new password for the Vaccine Management System",
        "new@clinic.example.org": "Your account for the Vaccine Management System",
    }
    assert models.Account.objects.count() == 4


def test_who_registers_again_gets_a_new_link_and_one_account(site):
    for name in ("Rosa", "Rosalia"):
        _register(site, first_name=name)

    assert models.Account.objects.get().first_name == "Rosalia"
    assert len(_read_mail(site)) == 2


def test_an_address_gets_five_links_an_hour_and_a_network_registers_twenty(site):
    sent = [_register(site).status_code for _ in range(7)]
    others = [_register(site, address=f"a{n}@b.example.org") for n in range(14)]

    assert sent == [302] * 7
    assert len(site.audit("link-queued")) == 5 + 13
    assert others[-1].status_code == 429


def test_two_at_once_make_one_account(site):
    barrier = threading.Barrier(2)

    def register():
        barrier.wait()
        registration._add(site.pipeline, ROSA, {"first_name": "Rosa"})
        db.connections.close_all()

    threads = [threading.Thread(target=register) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert models.Account.objects.count() == 1


@pytest.mark.parametrize("facts", [{"role": "data_ops"}, {"role": "requester"}])
def test_only_the_help_desk_has_supervisors(site, facts):
    with pytest.raises(db.IntegrityError):
        site.add_account(is_supervisor=True, **facts)
