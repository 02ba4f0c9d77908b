"""The team page: colleagues invite, disable and enable one another, in the audit."""

import dataclasses

import portals
import pytest
from django import test
from django.conf import settings
from django.core.cache import cache

from cvms_pipeline import bootstrap
from cvms_pipeline.portal.accounts import models
from cvms_pipeline.portal.site import limits
from cvms_pipeline.use_cases import deliver

BOB = "bob@mercy.example.org"


@pytest.fixture
def ann(site):
    return site.browser_of(site.add_account())


def _say(answer):
    return [str(each) for each in answer.context["messages"]]


def _change(browser, account, action):
    typed = {"action": action}
    return browser.post(f"/team/{account.pk}/", typed, follow=True)


def test_who_is_invited_gets_a_message_and_an_account_of_the_same_provider(site, ann):
    answer = ann.post("/team/", {"address": BOB.upper()}, follow=True)

    assert _say(answer) == [f"{BOB} gets a message with a link to set a password."]
    bob = models.Account.objects.get(username=BOB)
    assert (bob.provider, bob.role, bob.state) == ("mercy", "provider", "invited")
    deliver.send_alerts(site.pipeline)
    assert [m["To"] for m in site.installation.mail()] == [BOB]
    (entry,) = site.audit("account-added")
    assert entry["actor"] == "portal:ann@mercy.example.org"


def test_a_colleague_is_invited_once(site, ann):
    site.add_account(BOB)

    answer = ann.post("/team/", {"address": BOB})

    assert answer.status_code == 422
    assert "This colleague has an account already." in portals.text_of(answer)


def test_invitations_are_limited(site, ann):
    for number in range(limits.MAX_INVITATIONS_PER_HOUR):
        answer = ann.post("/team/", {"address": f"new{number}@mercy.example.org"})
        assert answer.status_code == 302

    answer = ann.post("/team/", {"address": BOB})

    assert answer.status_code == 429
    assert not models.Account.objects.filter(username=BOB).exists()


def test_a_disabled_colleague_is_out_at_once_and_comes_back(site, ann):
    account = site.add_account(BOB)
    bob = site.browser_of(account)
    assert bob.get("/uploads/").status_code == 200

    disabled = _change(ann, account, "disable")
    is_out = bob.get("/uploads/").status_code == 302
    enabled = _change(ann, account, "enable")

    assert _say(disabled) == [f"{BOB} can no longer log in."]
    assert is_out
    assert _say(enabled) == [f"{BOB} can log in again."]
    assert site.log_in(site.browser(), BOB)["Location"] == "/"
    entries = site.audit("account-disabled", "account-enabled")
    assert {e["actor"] for e in entries} == {"portal:ann@mercy.example.org"}
    assert [e["account"] for e in entries] == [str(account.pk)] * 2


def test_a_link_is_sent_again_a_few_times(site, ann):
    account = models.Account.objects.add(BOB, models.Role.PROVIDER, provider="mercy")

    said = [_say(_change(ann, account, "link"))[0] for _ in range(6)]

    assert said == [f"{BOB} gets a new link."] * 5 + [
        f"{BOB} was sent several links already. Wait an hour."
    ]


def test_nobody_changes_the_own_account(site):
    account = site.add_account()

    answer = _change(site.browser_of(account), account, "disable")

    assert _say(answer) == ["Ask a colleague to change your own account."]
    assert models.Account.objects.get().is_active


def test_while_the_mail_server_is_away_only_the_message_waits(site, ann):
    away = bootstrap.open_mailer("smtp://127.0.0.1:1", site.installation.maildir)
    pipeline = dataclasses.replace(site.pipeline, mailer=away)
    facts = dataclasses.replace(settings.CVMS, pipeline=pipeline)

    with test.override_settings(CVMS=facts):
        answer = ann.post("/team/", {"address": BOB}, follow=True)
        deliver.send_alerts(pipeline)

    assert _say(answer) == [f"{BOB} gets a message with a link to set a password."]
    waiting = "SELECT status FROM cvms.messages WHERE kind = 'account'"
    assert site.installation.column(waiting) == ["waiting"]


def test_what_one_process_counts_limits_the_others(site):
    """The counts are in the database: here, what another process has counted."""
    ann = site.add_account()
    elsewhere = site.browser(REMOTE_ADDR="198.51.100.7")
    for _ in range(10):
        site.type_password(elsewhere, ann.username, "x")
    rows = site.installation.column("SELECT cache_key FROM portal.portal_cache")

    cache.close()  # what this process knew
    answer = site.type_password(elsewhere, ann.username, "x")

    assert any("login_failed" in key for key in rows)
    assert "too many attempts" in portals.text_of(answer)
