"""Accounts of recipients: the password, log-in, races with a correction, removal."""

import concurrent.futures
import time

import installations
import portals
import pytest
from django import db
from django.contrib.auth import password_validation
from django.core import exceptions

from cvms_pipeline.portal.accounts import administration, middleware, models
from cvms_pipeline.portal.recipient import passwords
from cvms_pipeline.portal.site import limits
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.recipients import access

ANN = "ann@b.example.org"
NAME = f"{ANN}.COVID19VACCINE"
CORRECTED = "Ann,Lee,1/2/1990,new@b.example.org"


@pytest.fixture
def token(site) -> str:
    """The link in Ann's invitation."""
    made = site.installation
    upload_id = made.bring([installations.ANN])
    deliver.send_invitations(made.pipeline, upload_id)
    (message,) = [each for each in made.mail() if each["To"] == ANN]
    text = message.get_body(("plain",)).get_content()
    return text.split("/set-password/")[1].split("/")[0]


def set_password(site, token, password=portals.PASSWORD, username=NAME):
    return passwords.set_password(site.pipeline, token, username, password)


def can_log_in(site, password=portals.PASSWORD, username=NAME):
    browser = site.browser()
    site.type_password(browser, username, password)
    return "_auth_user_id" in browser.session


def test_a_recipient_sets_a_password_with_the_link_and_logs_in(site, token):
    account = set_password(site, token, username=NAME.lower())

    assert (account.username, account.role) == (NAME.lower(), "recipient")
    assert can_log_in(site)
    assert not can_log_in(site, password=portals.PASSWORD + "x")
    assert not account.needs_second_factor
    assert models.Account.objects.get().first_name == ""
    with pytest.raises(passwords.LinkEnded) as ended:
        set_password(site, token, "another green train 9")
    assert ended.value.why is access.Why.USED
    assert can_log_in(site)


def test_a_wrong_username_makes_no_account(site, token):
    with pytest.raises(passwords.WrongUsername):
        set_password(site, token, username=ANN)

    assert models.Account.objects.count() == 0
    assert set_password(site, token)


def test_a_short_password_is_refused(site, token):
    account = passwords.describe_account(access.check_link(site.pipeline, token))

    password_validation.validate_password("green trains 88", account)
    with pytest.raises(exceptions.ValidationError, match="at least 15"):
        password_validation.validate_password("green trains 8", account)


def test_a_password_with_the_owner_s_name_is_refused(site):
    site.installation.bring(["Annabel,Leeson,1/2/1990,x@b.example.org"])
    (found,) = site.installation.column("SELECT id::text FROM cvms.recipients")
    account = passwords.describe_account(access.get_owner(site.pipeline, found))

    for word in ("Annabel", "leeson"):
        with pytest.raises(exceptions.ValidationError, match="without your name"):
            password_validation.validate_password(f"{word} likes green trains", account)


def test_of_two_who_use_one_link_one_sets_the_password(site, token):
    def attempt(password):
        try:
            set_password(site, token, password)
        except passwords.LinkEnded as ended:
            return ended.why
        finally:
            db.connections.close_all()
        return password

    typed = ["first green trains 8", "second green trains 8"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = list(pool.map(attempt, typed))

    assert sorted(results, key=typed.count)[0] is access.Why.USED
    (winner,) = [each for each in results if each in typed]
    assert [can_log_in(site, each) for each in typed] == [
        each == winner for each in typed
    ]
    assert models.Account.objects.count() == 1


def test_a_removed_recipient_cannot_log_in_and_is_logged_out(site, token):
    account = set_password(site, token)
    browser = site.browser_of(account)
    assert browser.get("/accounts/sessions/").status_code == 200
    site.installation.remove("Ann")

    assert browser.get("/accounts/sessions/").status_code == 302
    assert not can_log_in(site)
    administration.end_log_in(str(account.recipient))
    assert models.Account.objects.count() == 0


def test_a_recipient_who_is_removed_while_the_password_is_written_gets_no_account(
    site, token, monkeypatch
):
    use = access.use_link

    def use_and_remove(*args, **facts):
        used = use(*args, **facts)
        site.installation.remove("Ann")
        administration.end_log_in(used)
        return used

    monkeypatch.setattr(access, "use_link", use_and_remove)
    with pytest.raises(passwords.LinkEnded) as ended:
        set_password(site, token)

    assert ended.value.why is access.Why.REMOVED
    assert models.Account.objects.count() == 0


def test_a_link_that_dies_while_the_password_is_written_leaves_no_account(
    site, token, monkeypatch
):
    find = passwords._find_or_add

    def find_and_correct(described):
        found = find(described)
        site.installation.bring([CORRECTED])
        return found

    monkeypatch.setattr(passwords, "_find_or_add", find_and_correct)
    with pytest.raises(passwords.LinkEnded) as ended:
        set_password(site, token)

    assert ended.value.why is access.Why.CORRECTED
    assert models.Account.objects.count() == 0


def test_a_username_that_moves_to_another_recipient_is_free(site, token):
    owner = access.check_link(site.pipeline, token)
    passwords._find_or_add(passwords.describe_account(owner))
    made = site.installation
    made.bring([CORRECTED])
    made.bring(["Tim,Lee,5/6/2004,ann@b.example.org"])
    made.clock.forward(minutes=30)
    access.ask_links(site.pipeline, ANN)
    deliver.send_alerts(site.pipeline)
    (message,) = [m for m in made.mail() if "Set your password" in m["Subject"]]
    text = message.get_body(("plain",)).get_content()

    account = set_password(site, text.split("/set-password/")[1].split("/")[0])

    assert account.username == NAME.lower()
    assert can_log_in(site)


def test_a_session_of_a_recipient_ends_after_fifteen_minutes(site, token, monkeypatch):
    browser = site.browser()
    set_password(site, token)
    site.type_password(browser, NAME, portals.PASSWORD)
    assert browser.post("/session/").json()["seconds"] in (15 * 60 - 1, 15 * 60)
    later = time.time() + limits.RECIPIENT_IDLE_SECONDS + 1
    monkeypatch.setattr(middleware.time, "time", lambda: later)

    answer = browser.get("/accounts/sessions/", follow=True)

    assert "nothing was done for 15 minutes" in portals.text_of(answer)


def test_the_audit_names_a_recipient_by_id_and_not_by_address(site, token):
    account = set_password(site, token)
    can_log_in(site)

    entries = site.audit("logged-in", "password-set")
    assert [each["event"] for each in entries] == ["password-set", "logged-in"]
    assert entries[1]["actor"] == f"portal:recipient/{account.recipient}"
    kept = site.installation.table("SELECT * FROM cvms.audit").to_csv()
    assert ANN not in kept.lower()


def test_a_recipient_gets_no_link_of_other_accounts(site, token):
    account = set_password(site, token)

    with pytest.raises(administration.OwnLink):
        administration.send_link(site.pipeline, account)
    with pytest.raises(administration.OwnLink):
        administration.print_link(site.pipeline, account)
    site.browser().post("/accounts/forgot/", {"username": NAME})
    kinds = site.installation.column("SELECT kind FROM cvms.messages")
    assert "account" not in kinds


def test_accounts_are_listed_without_recipients_unless_asked_for(site, token):
    set_password(site, token)
    site.add_account()

    assert [each["role"] for each in administration.list_accounts()] == ["provider"]
    found = administration.list_accounts(role="recipient", limit=1)
    assert [each["username"] for each in found] == [NAME.lower()]
