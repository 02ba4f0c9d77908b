"""Log-in: both factors, the same answer to everybody, and limits."""

import portals
import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import hashers, password_validation
from django.core import exceptions

from cvms_pipeline.portal.accounts import administration, middleware, models, passwords

WRONG = "There is a problem The username or the password is wrong."


def test_an_account_logs_in_with_password_and_code(site):
    ann = site.add_account()
    browser = site.browser()

    answer = site.log_in(browser, ann.username)

    assert answer["Location"] == "/"
    assert browser.get("/", follow=True).status_code == 200
    (entry,) = site.audit("logged-in")
    assert entry["actor"] == "portal:ann@mercy.example.org"
    assert entry["account"] == str(ann.pk)


def test_a_recovery_code_works_once_in_place_of_the_app(site):
    ann = site.add_account()
    codes = Authenticator.objects.get(user=ann, type="recovery_codes").wrap()
    code = codes.get_unused_codes()[0]

    def try_it():
        browser = site.browser()
        site.type_password(browser, ann.username)
        return browser.post("/accounts/factors/log-in/", {"code": code}).status_code

    assert [try_it(), try_it()] == [302, 200]


def test_the_password_alone_opens_no_page(site):
    ann = site.add_account()
    browser = site.browser()

    site.type_password(browser, ann.username)

    assert browser.get("/uploads/")["Location"].startswith("/accounts/login/")


def test_without_a_second_factor_only_its_set_up_can_be_opened(site):
    ann = site.add_account(has_factor=False)
    browser = site.browser()

    answer = site.type_password(browser, ann.username)

    assert answer["Location"] == "/"
    for path in ("/", "/uploads/", "/team/", "/accounts/sessions/"):
        assert browser.get(path)["Location"] == "/accounts/factors/"
    assert browser.get("/accounts/factors/app/").status_code == 200


def test_a_new_second_factor_ends_sessions_that_were_begun_with_a_password(site):
    ann = site.add_account(has_factor=False)
    thief, owner = site.browser(), site.browser()
    for browser in (thief, owner):
        site.type_password(browser, ann.username)
        browser.get("/accounts/factors/")
    page = owner.get("/accounts/factors/app/")
    secret = page.context["form"].secret

    typed = {"code": portals.make_code(secret=secret)}
    answer = owner.post("/accounts/factors/app/", typed)

    assert answer["Location"] == "/accounts/factors/codes/"
    assert owner.get("/uploads/").status_code == 200
    assert thief.get("/uploads/")["Location"].startswith("/accounts/login/")
    assert [e["kind"] for e in site.audit("second-factor-added")] == [
        "totp",
        "recovery_codes",
    ]


CASES = [
    ("ann@mercy.example.org", "wrong"),
    ("nobody@mercy.example.org", "wrong"),  # no such account
    ("off@mercy.example.org", "wrong"),  # disabled
    ("off@mercy.example.org", "right"),  # disabled, with its password
    ("new@mercy.example.org", "wrong"),  # has no password yet
    ("' OR 1=1 --", "wrong"),
]


def test_every_refused_log_in_answers_alike(site, monkeypatch):
    site.add_account()
    off = site.add_account("off@mercy.example.org")
    models.Account.objects.filter(pk=off.pk).update(is_active=False)
    models.Account.objects.add(
        "new@mercy.example.org", models.Role.PROVIDER, provider="mercy"
    )
    computed = []
    for name in ("encode", "verify"):
        original = getattr(hashers.Argon2PasswordHasher, name)

        def count(*args, original=original):
            computed.append(1)
            return original(*args)

        monkeypatch.setattr(hashers.Argon2PasswordHasher, name, count)

    answers = set()
    for username, password in CASES:
        computed.clear()
        typed = portals.PASSWORD if password == "right" else "a wrong password"
        answer = site.type_password(site.browser(), username, typed)
        shown = portals.text_of(answer)
        answers.add((answer.status_code, shown, len(computed)))

    ((status, text, hashes),) = answers
    assert (status, hashes) == (200, 1)
    assert WRONG in text


def test_refused_log_ins_are_in_the_audit_without_what_was_typed(site):
    ann = site.add_account()
    browser = site.browser()

    site.type_password(browser, ann.username, "canary-password")
    site.type_password(browser, "canarywood@nest.example", "canary-password")
    site.type_password(browser, ann.username)
    browser.post("/accounts/factors/log-in/", {"code": "000000"})

    found = site.audit("log-in-refused")
    assert [(e["because"], e.get("account")) for e in found] == [
        ("password", str(ann.pk)),
        ("password", None),
        ("second-factor", str(ann.pk)),
    ]
    assert "canary" not in repr(found)


def test_guesses_from_elsewhere_do_not_lock_out_a_browser_that_is_known(site):
    ann = site.add_account()
    known = site.browser()
    site.log_in(known, ann.username)
    known.post("/accounts/logout/")

    elsewhere = site.browser(REMOTE_ADDR="198.51.100.7")
    texts = [_explain(site.type_password(elsewhere, ann.username, "x"))[-1]]
    for _ in range(10):
        texts = _explain(site.type_password(elsewhere, ann.username, "x"))

    assert texts == [
        "There were too many attempts. Wait ten minutes, or set a new password."
    ]
    assert _explain(site.type_password(elsewhere, ann.username)) == texts
    assert site.type_password(known, ann.username)["Location"] != "/accounts/login/"


def test_an_address_that_guesses_is_slowed_whatever_accounts_it_names(site):
    elsewhere = site.browser(REMOTE_ADDR="198.51.100.8")
    for number in range(30):
        site.type_password(elsewhere, f"somebody{number}@example.org", "x")

    answer = site.type_password(elsewhere, "another@example.org", "x")

    assert "too many attempts" in "".join(_explain(answer))


def _explain(answer):
    return list(answer.context["form"].non_field_errors())


def test_the_id_of_a_session_changes_at_log_in(site):
    ann = site.add_account()
    browser = site.browser()
    site.type_password(browser, ann.username)
    before = browser.cookies["cvms_session"].value

    browser.post("/accounts/factors/log-in/", {"code": portals.make_code()})

    assert browser.cookies["cvms_session"].value != before


def test_a_log_in_leads_to_no_other_site(site):
    ann = site.add_account()
    browser = site.browser()

    typed = {"login": ann.username, "password": portals.PASSWORD}
    browser.post("/accounts/login/?next=https://evil.example/", typed)
    answer = browser.post(
        "/accounts/factors/log-in/?next=https://evil.example/",
        {"code": portals.make_code()},
    )

    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "Choose a password of at least 8 characters."),
        ("a" * 129, "Choose a password of at most 128 characters."),
        (
            "I am ann.lee today",
            "Choose a password without your name or your e-mail address in it.",
        ),
        (
            "mercy2000000",
            "Choose a password without your name or your e-mail address in it.",
        ),
        ("password1", "This password is too common."),
    ],
)
def test_a_password_is_refused_with_its_reason(site, password, sentence):
    account = site.add_account("ann.lee@mercy.example.org")

    with pytest.raises(exceptions.ValidationError) as caught:
        password_validation.validate_password(password, account)

    assert sentence in caught.value.messages


def test_without_a_required_second_factor_a_password_has_15_characters(site, settings_):
    account = site.add_account()
    settings_(is_second_factor_required=False)

    with pytest.raises(Exception, match="at least 15 characters"):
        passwords.LengthValidator().validate("x" * 14, account)
    passwords.LengthValidator().validate("x" * 15, account)
    assert middleware.has_required_factor(account, {})


def test_an_account_of_the_demonstration_has_a_new_password_each_time(site, settings_):
    settings_(is_second_factor_required=False)
    facts = {"role": "provider", "provider": "mercy"}
    make = administration.make_demo_account

    account, first = make(site.pipeline, "ann@mercy.example.org", **facts)
    browser = site.browser_of(account)
    again, second = make(site.pipeline, "ann@mercy.example.org", **facts)

    assert again.pk == account.pk
    assert first != second
    assert browser.get("/uploads/")["Location"].startswith("/accounts/login/")
    assert site.type_password(browser, account.username, first).status_code == 200
    answer = site.type_password(browser, account.username, second)
    assert answer["Location"] == "/"
    assert len(second) >= 15
