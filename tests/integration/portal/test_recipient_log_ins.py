"""Whoever tries to log in as a recipient does not learn whether there is one."""

import itertools

import portals
import pytest
from django.contrib.auth import hashers

from cvms_pipeline.portal.accounts import administration, models

WRONG = "four blue horses 8"
EACH = 5
TRIES = 10
"""As many as are not slowed for one account."""


def name_of(kind, nth):
    return f"{kind}{nth}@b.example.org.covid19vaccine"


@pytest.fixture
def accounts(site):
    """Usernames by kind: of those who are closed the account is gone, too."""
    kinds = ("known", "removed", "closed", "disabled")
    letters = "abcde"
    rows = [
        f"{kind}{letters[nth]},Lee,1/2/1990,{kind}{nth}@b.example.org"
        for kind in kinds
        for nth in range(EACH)
    ]
    site.installation.bring(rows)
    site.installation.execute("UPDATE cvms.recipients SET password_set_at = now()")
    query = "SELECT lower(username) || ' ' || id FROM cvms.recipients"
    ids = dict(row.split() for row in site.installation.column(query))
    password = hashers.make_password(portals.PASSWORD)
    for username, recipient in ids.items():
        models.Account.objects.create(
            username=username,
            email=username.removesuffix(".covid19vaccine"),
            role=models.Role.RECIPIENT,
            recipient=recipient,
            password=password,
            is_active=not username.startswith("disabled"),
        )
    for nth in range(EACH):
        for count, kind in enumerate(("removed", "closed")):
            name = f"{kind}{letters[nth]}"
            site.installation.remove(name, case_number=1001 + 2 * nth + count)
        administration.end_log_in(ids[name_of("closed", nth)])
    return {
        kind: [name_of(kind, nth) for nth in range(EACH)]
        for kind in (*kinds, "unknown")
    }


def test_250_log_ins_of_any_kind_of_account_answer_alike(site, accounts, monkeypatch):
    computed = []
    for name in ("encode", "verify"):
        original = getattr(hashers.Argon2PasswordHasher, name)

        def count(*args, original=original):
            computed.append(1)
            return original(*args)

        monkeypatch.setattr(hashers.Argon2PasswordHasher, name, count)

    answers, places = {}, itertools.count()
    for nth in range(EACH * TRIES):
        for kind, names in accounts.items():
            computed.clear()
            place = next(places)
            browser = site.browser(REMOTE_ADDR=f"10.0.{place // 200}.{place % 200}")
            # Only whoever is known has typed a wrong one.
            typed = WRONG if kind == "known" else portals.PASSWORD
            answer = site.type_password(browser, names[nth % EACH], typed)
            text = portals.text_of(answer).replace(names[nth % EACH], "")
            told = (answer.status_code, text, len(computed), sorted(answer.headers))
            answers.setdefault(repr(told), set()).add(kind)

    assert list(answers.values()) == [set(accounts)]
    (told,) = answers
    assert told.startswith("(200, ")
    assert "There is a problem The username or the password is wrong." in told


def test_too_many_tries_are_slowed_alike_whatever_account_they_name(site, accounts):
    answers = {}
    for count, (kind, names) in enumerate(accounts.items()):
        told = []
        for nth in range(TRIES + 2):
            browser = site.browser(REMOTE_ADDR=f"10.1.{count}.{nth}")
            answer = site.type_password(browser, names[0], WRONG)
            text = portals.text_of(answer).replace(names[0], "")
            told.append((answer.status_code, text))
        answers.setdefault(repr(told), set()).add(kind)

    assert list(answers.values()) == [set(accounts)]
    assert "There were too many attempts." in next(iter(answers))


def test_whoever_is_known_logs_in(site, accounts):
    browser = site.browser()

    answer = site.type_password(browser, accounts["known"][0])

    assert answer.status_code == 302
    assert "_auth_user_id" in browser.session
