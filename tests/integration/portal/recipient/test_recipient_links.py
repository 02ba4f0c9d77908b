"""The link of an invitation in the portal: a password, "This is not me", its end."""

import re

import installations
import invited
import portals
import pytest
from django.contrib.sessions.models import Session

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases.recipients import access

LINK = "/set-password/"
SPANISH = {"HTTP_ACCEPT_LANGUAGE": "es-US"}


def _open(site, path=None, **options):
    """Return a browser that has followed a link."""
    browser = site.browser(**options)
    browser.get(path or invited.invite(site))
    return browser


def test_the_token_leaves_the_address_and_is_in_no_page(site):
    path = invited.invite(site)

    answer = site.browser().get(path, follow=True)

    assert answer.redirect_chain == [(LINK, 302)]
    assert path.split("/")[2] not in answer.content.decode()


def test_no_session_in_the_database_holds_a_link_that_can_be_read(site):
    path = invited.invite(site)
    browser = _open(site, path)

    (held,) = [each.get_decoded() for each in Session.objects.all()]

    assert "cvms_recipient_token" in held
    assert path.split("/")[2] not in str(held)
    assert browser.get(LINK).status_code == 200


def test_a_password_leads_to_the_home_page(site):
    browser = site.browser()

    answer = invited.set_password(site, browser, invited.invite(site))

    assert answer["Location"] == "/me/"
    page = portals.text_of(browser.get("/me/"))
    assert "This portal is for people" in page
    assert "Vaccine Program Status Not Enrolled" in page


def test_one_logs_in_with_the_username_and_the_password(site):
    invited.let_in(site)
    browser = site.browser()

    answer = site.type_password(browser, invited.USERNAME, invited.PASSWORD)

    assert answer["Location"] == "/"
    assert browser.get("/")["Location"] == "/me/"


def _press_everything(browser, path):
    """Do what programs do that look into mail; they type nothing."""
    for method in (browser.get, browser.head, browser.options):
        method(path)
    for page in (LINK, f"{LINK}not-me/"):
        text = browser.get(page).content.decode()
        for form in re.findall(r"<form.*?</form>", text, re.DOTALL):
            action = re.search(r'action="([^"]*)"', form)
            hidden = dict(
                re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
            )
            browser.post(action[1] if action else page, hidden)
        for link in re.findall(r'href="(/(?!static/)[^"]*)"', text):
            browser.get(link)


def test_programs_that_open_and_press_everything_burn_nothing(site):
    path = invited.invite(site)

    _press_everything(site.browser(), path)
    _press_everything(site.browser(**SPANISH), path)

    assert invited.set_password(site, site.browser(), path)["Location"] == "/me/"
    assert len(invited.list_links(site)) == 1


def test_another_username_is_refused_and_the_link_still_works(site):
    path = invited.invite(site)
    browser = _open(site, path)

    answer = browser.post(LINK, {**invited.NEW, "username": "bob@b.example.org"})

    assert answer.status_code == 422
    assert "not the username that the link is for" in portals.text_of(answer)
    assert not models.Account.objects.exists()
    assert browser.post(LINK, invited.NEW)["Location"] == "/me/"


WEAK = {
    "ann@b.example.org 1234": "without your name or your e-mail address",
    "four blue": "at least 15 characters",
}


@pytest.mark.parametrize(("password", "why"), WEAK.items())
def test_a_weak_password_is_refused(site, password, why):
    browser = _open(site)

    typed = {**invited.NEW, "password": password, "again": password}
    answer = browser.post(LINK, typed)

    assert (answer.status_code, why in portals.text_of(answer)) == (422, True)


def _use(site, path):
    invited.set_password(site, site.browser(), path)


def _replace(site, _path):
    access.ask_links(site.pipeline, invited.ADDRESS)
    invited.send(site)


def _correct(site, _path):
    site.installation.bring(["Ann,Lee,1/2/1990,new@b.example.org"])


def _deny(site, path):
    access.deny_address(site.pipeline, path.split("/")[2])


def _wait(site, _path):
    site.installation.clock.forward(days=15)


ENDS = [
    (_use, "a password has been set"),
    (_replace, "a newer link since then"),
    (_correct, "has been corrected"),
    (_deny, "not meant for this address"),
    (_wait, "Its time is over"),
]


@pytest.mark.parametrize(("end", "why"), ENDS)
def test_a_link_that_has_ended_says_why(site, end, why):
    path = invited.invite(site)
    end(site, path)
    browser = site.browser()

    answer = browser.get(path, follow=True)

    assert (answer.status_code, why in portals.text_of(answer)) == (410, True)
    assert browser.post(LINK, invited.NEW).status_code == 410
    offers = "Get a new link" in portals.text_of(answer)
    assert offers == (end is not _deny)


@pytest.mark.parametrize("token", ["x", "a.b", "%00", "é", "not-me-at-all"])
def test_a_link_that_was_not_made_here_says_that_it_is_not_complete(site, token):
    answer = site.browser().get(f"{LINK}{token}/", follow=True)

    assert answer.status_code == 410
    assert "The address is not complete" in portals.text_of(answer)


def test_a_new_link_is_sent_to_who_types_the_address(site):
    path = invited.invite(site)
    _wait(site, path)
    browser = _open(site, path)
    page = browser.get(LINK).content.decode()
    assert 'action="/accounts/forgot/"' in page

    browser.post("/accounts/forgot/", {"username": invited.ADDRESS})

    newer = invited.list_links(site)[-1]
    assert newer != path
    assert invited.set_password(site, site.browser(), newer)["Location"] == "/me/"


def test_this_is_not_me_ends_the_link_and_opens_a_case(site):
    browser = _open(site)

    answer = browser.post(f"{LINK}not-me/", {"address": invited.ADDRESS.upper()})

    assert answer["Location"] == f"{LINK}not-me/told/"
    assert "Thank you for telling us" in portals.text_of(
        browser.get(answer["Location"])
    )
    assert site.installation.column("SELECT kind FROM cvms.cases") == ["wrong_address"]
    assert browser.get(LINK).status_code == 410


@pytest.mark.parametrize("typed", ["", "bob@b.example.org"])
def test_this_is_not_me_needs_the_address_of_the_message(site, typed):
    path = invited.invite(site)

    answer = _open(site, path).post(f"{LINK}not-me/", {"address": typed})

    assert answer.status_code == 422
    assert invited.set_password(site, site.browser(), path)["Location"] == "/me/"


def test_what_ended_meanwhile_is_told_when_this_is_not_me_is_sent(site):
    path = invited.invite(site)
    browser = _open(site, path)
    _use(site, path)

    answer = browser.post(f"{LINK}not-me/", {"address": invited.ADDRESS})

    assert answer.status_code == 410
    assert site.installation.column("SELECT kind FROM cvms.cases") == []


def test_a_family_at_one_address_gets_a_link_for_each(site):
    rows = [installations.ANN, installations.ANN.replace("Ann", "Ben")]
    site.installation.bring(rows)
    before = len(invited.list_links(site))

    site.browser().post("/accounts/forgot/", {"username": invited.ADDRESS})

    assert (before, len(invited.list_links(site))) == (2, 4)


def test_the_language_in_which_the_password_was_set_is_the_chosen_one(site):
    browser = invited.let_in(site, **SPANISH)

    assert invited.find_owner(site).language == "es"
    assert "Sin inscripción" in portals.text_of(browser.get("/me/"))


def test_the_choice_of_a_recipient_goes_before_that_of_the_browser(site):
    browser = invited.let_in(site)
    browser.post("/language/", {"language": "es"})
    another = site.browser(HTTP_ACCEPT_LANGUAGE="en-US")

    site.type_password(another, invited.USERNAME, invited.PASSWORD)

    assert invited.find_owner(site).language == "es"
    assert another.get("/me/")["Content-Language"] == "es"


def test_a_changed_password_is_told_by_mail(site):
    browser = invited.let_in(site)
    new = "seven grey mice sleep well"
    typed = {"oldpassword": invited.PASSWORD, "password1": new, "password2": new}

    browser.post("/accounts/password/", typed)

    invited.send(site)
    subjects = [message["Subject"] for message in site.installation.mail()]
    assert len([s for s in subjects if "password was changed" in s]) == 1
    answer = site.type_password(site.browser(), invited.USERNAME, new)
    assert answer["Location"] == "/"
