"""English and Spanish: which pages speak which, and what decides it."""

import re

import portals
import pytest
from django.urls import reverse

from cvms_pipeline import errors
from cvms_pipeline.portal.accounts import views

SPANISH = {"HTTP_ACCEPT_LANGUAGE": "es-US,es;q=0.9,en;q=0.5"}
PUBLIC = [
    "/accounts/login/",
    "/accounts/forgot/",
    "/accounts/forgot/sent/",
    "/accounts/set-password/",
    "/gate/dagster/",
    "/register/",
    "/register/sent/",
    "/nothing/",
]
_ENGLISH = re.compile(
    r"\b(the|you|your|and|is|are|with|this|of|to|for|or|not|it|in)\b", re.IGNORECASE
)


def _find_english(answer):
    """Return English words of a page; the button to the English page is none."""
    return _ENGLISH.findall(portals.text_of(answer))


def _read_language(answer):
    """Return the language of a page: all that say it have to say the same."""
    (attribute,) = re.findall(r'<html lang="([^"]*)">', answer.content.decode())
    assert answer["Content-Language"] == attribute
    return attribute


def _choose(browser, language, **typed):
    return browser.post("/language/", {"language": language, **typed})


@pytest.mark.parametrize("path", PUBLIC)
def test_a_browser_that_asks_for_spanish_gets_it(site, path):
    answer = site.browser(**SPANISH).get(path)

    assert _read_language(answer) == "es"
    assert _find_english(answer) == []


@pytest.mark.parametrize("asked", ["en-US", "fr", "", "x;q=not a number"])
def test_any_other_browser_gets_english(site, asked):
    answer = site.browser(HTTP_ACCEPT_LANGUAGE=asked).get("/accounts/login/")

    assert _read_language(answer) == "en"
    assert _find_english(answer) != []


def test_the_button_changes_the_language_and_leads_back(site):
    browser = site.browser()
    page = browser.get("/accounts/login/?next=/me/").content.decode()
    assert 'name="language" value="es" lang="es">Español</button>' in page
    assert 'name="next" value="/accounts/login/?next=/me/"' in page

    answer = _choose(browser, "es", next="/accounts/login/?next=/me/")

    assert answer["Location"] == "/accounts/login/?next=/me/"
    assert _read_language(browser.get(answer["Location"])) == "es"


def test_the_button_goes_before_what_the_browser_asks_for(site):
    browser = site.browser(**SPANISH)

    _choose(browser, "en")

    assert _read_language(browser.get("/accounts/login/")) == "en"


def test_the_button_leads_to_no_other_site(site):
    answer = _choose(site.browser(), "es", next="https://elsewhere.example/")

    assert answer["Location"] == "/"


@pytest.mark.parametrize("language", ["fr", "", "../es"])
def test_a_language_that_there_is_not_changes_nothing(site, language):
    browser = site.browser(**SPANISH)

    _choose(browser, language)

    assert _read_language(browser.get("/accounts/login/")) == "es"


@pytest.mark.parametrize("role", ["provider", "requester", "help_desk", "data_ops"])
def test_other_accounts_are_spoken_to_in_english(site, role):
    account = site.add_account("ann@mercy.example.org", role=role)
    browser = site.browser_of(account, **SPANISH)
    _choose(browser, "es")

    answer = browser.get("/accounts/factors/")

    assert _read_language(answer) == "en"
    assert "Español" not in answer.content.decode()


def test_a_wrong_password_is_told_in_spanish(site):
    answer = site.type_password(site.browser(**SPANISH), "nobody@example.org")

    assert "El nombre de usuario o la contraseña no es correcto." in portals.text_of(
        answer
    )
    assert _find_english(answer) == []


def test_a_form_that_is_too_old_says_so_in_spanish(site):
    browser = site.browser(enforce_csrf_checks=True, **SPANISH)

    answer = browser.post("/accounts/login/", {"login": "rosa"})

    assert (answer.status_code, _read_language(answer)) == (403, "es")
    assert _find_english(answer) == []


@pytest.mark.parametrize(
    ("fault", "status"), [(ValueError(), 500), (errors.TransientError(), 503)]
)
def test_a_fault_is_told_in_spanish(site, monkeypatch, fault, status):
    def fail(*_):
        raise fault

    monkeypatch.setattr(views.administration, "find_by_link", fail)
    browser = site.browser(raise_request_exception=False, **SPANISH)

    answer = browser.get(reverse("set_password"))

    assert (answer.status_code, _read_language(answer)) == (status, "es")
    assert _find_english(answer) == []


def test_the_language_of_one_request_is_not_that_of_the_next(site):
    site.browser(**SPANISH).get("/accounts/login/")

    assert _read_language(site.browser().get("/accounts/login/")) == "en"
