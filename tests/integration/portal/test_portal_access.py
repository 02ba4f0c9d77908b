"""Who may open what: every route with every role, against the table in the docs."""

import re
from pathlib import Path

import installations
import portals
import pytest
from allauth.mfa.models import Authenticator
from django.urls import get_resolver

from cvms_pipeline.portal.accounts import models, roles
from cvms_pipeline.use_cases.provider_actions import review

DOCS = Path(__file__).parents[3] / "docs" / "portal.md"
KNOWN = ["provider", "data_ops", "requester", "help_desk", "recipient"]
ROLES = ["nobody", *KNOWN]
METHODS = ["get", "head", "options", "post", "put", "patch", "delete"]
HARMLESS = ["get", "head", "options", "trace"]
UNSEEN = ("django_session", "usersessions_usersession", "portal_cache", "audit")
"""Tables that a visit may change: they are about visits."""
VIEWED = re.compile(r', ""viewed_at"": [\d.]+')  # when recovery codes were looked at


def _list_routes():
    """Return every route: its name, its path and its view."""

    def walk(patterns, prefix=""):
        for each in patterns:
            path = prefix + str(each.pattern)
            if hasattr(each, "url_patterns"):
                yield from walk(each.url_patterns, path)
            else:
                yield each.name, f"/{path}", each.callback

    return list(walk(get_resolver().url_patterns))


ROUTES = _list_routes()


def _is_allowed(view, role):
    allowed = roles.get_roles(view)
    return allowed == roles.EVERYBODY or role in allowed


def _answer(view, role):
    return "yes" if _is_allowed(view, role) else "no"


def test_every_route_says_who_may_open_it():
    assert [name for name, _, view in ROUTES if not roles.get_roles(view)] == []


def test_the_docs_have_the_table_of_routes_and_roles():
    rows = [
        " | ".join([f"| `{path}`", *(_answer(view, role) for role in ROLES)]) + " |"
        for _, path, view in ROUTES
    ]

    found = re.findall(r"^\| `/.*\|$", DOCS.read_text("utf-8"), re.M)

    assert found == rows


@pytest.fixture
def another(site):
    """What another provider has, by the names that routes give to ids."""
    site.installation.add_provider("other")
    rows = [installations.BAD, installations.BOB]
    upload = site.installation.bring(rows, slug="other")
    account = site.add_account("eve@other.example.org", provider="other")
    return {
        "upload_id": upload,
        "recipient_id": _find_recipient(site, upload),
        "account_id": account.pk,
        "review_id": _begin_review(site, account),
        "pk": _add_key(account),
        **site.open_case(account),
    }


@pytest.fixture
def own(site):
    """The same of the provider that somebody is from."""
    upload = site.installation.bring([installations.ANN, installations.BAD])
    account = site.add_account("bob@mercy.example.org")
    return {
        "upload_id": upload,
        "recipient_id": _find_recipient(site, upload),
        "account_id": account.pk,
        "review_id": _begin_review(site, account),
        **site.open_case(account),
    }


def _begin_review(site, account):
    """Return the id of the review of a file that waits."""
    shown = review.begin(
        site.pipeline,
        f"{installations.HEADER}\n{installations.ANN}".encode(),
        file_name="a.csv",
        provider=account.provider,
        sent_by=str(account.pk),
    )
    return shown.file.id


def _find_recipient(site, upload_id):
    query = f"SELECT id FROM cvms.recipients WHERE upload_id = '{upload_id}'"  # noqa: S608 # ours
    return site.installation.column(query)[0]


def _add_key(account):
    """Return the id of a security key that somebody has."""
    facts = {"name": "key", "passwordless": False, "credential": {}}
    made = Authenticator.objects.create(user=account, type="webauthn", data=facts)
    return made.pk


def _fill(path, ids):
    """Put ids into a route; a new kind of id has to be added to the fixtures above."""
    values = {"token": "x", **ids}
    return re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), path)


def _read_everything(site):
    """Return the rows of all tables, but for those about visits."""
    query = (
        "SELECT schemaname || '.' || tablename FROM pg_tables"
        " WHERE schemaname IN ('cvms', 'portal')"
    )
    found = {}
    for name in site.installation.column(query):
        rows = f"SELECT t::text FROM {name} AS t ORDER BY 1"  # noqa: S608 # names above
        if not name.endswith(UNSEEN):
            found[name] = [VIEWED.sub("", r) for r in site.installation.column(rows)]
    return found


@pytest.mark.parametrize("role", KNOWN)
def test_what_is_not_for_a_role_is_not_found_by_any_method(site, another, role):
    browser = site.browser_of(site.add_account(role=role))
    hidden = [path for _, path, view in ROUTES if not _is_allowed(view, role)]

    answers = {
        f"{method} {path}": getattr(browser, method)(_fill(path, another)).status_code
        for path in hidden
        for method in METHODS
    }

    assert hidden
    assert {what for what, status in answers.items() if status != 404} == set()


@pytest.mark.parametrize("role", KNOWN)
def test_what_is_for_a_role_is_found(site, own, role):
    account = site.add_account(role=role)
    browser, ids = site.browser_of(account), {**own, "pk": _add_key(account)}
    if role == "requester":
        ids |= site.open_case(account)

    answers = {
        path: browser.get(_fill(path, ids)).status_code
        for name, path, view in ROUTES
        if _is_allowed(view, role) and name not in BROKEN_KEY | SINGLE_SIGN_ON
    }

    assert {path for path, status in answers.items() if status == 404} == set()
    assert max(answers.values()) < 500


BROKEN_KEY = {"mfa_reauthenticate_webauthn", "mfa_add_webauthn"}
"""Pages that read the keys of the account; the tests of the browser have real ones."""
SINGLE_SIGN_ON = {
    "sso",
    "sso_choose",
    "openid_connect_callback",
    "saml_receive",
    "saml_finish",
    "saml_metadata",
}
"""Not there without a service; test_single_sign_on.py and test_saml.py have one."""


@pytest.mark.parametrize("role", ["provider", "requester"])
def test_ids_of_another_are_not_found_by_any_route_and_method(site, another, role):
    browser = site.browser_of(site.add_account(role=role))
    with_ids = [path for _, path, _ in ROUTES if "<" in path and "token" not in path]
    before = _read_everything(site)

    answers = {
        f"{method} {path}": getattr(browser, method)(_fill(path, another)).status_code
        for path in with_ids
        for method in METHODS
    }

    assert with_ids
    found = {what for what, status in answers.items() if status not in (404, 405)}
    assert {what for what in found if not what.startswith("options")} == set()
    assert _read_everything(site) == before


@pytest.mark.parametrize("method", METHODS)
def test_who_is_not_logged_in_is_led_to_the_log_in(site, another, method):
    browser = site.browser()

    for _, path, view in ROUTES:
        answer = getattr(browser, method)(_fill(path, another))
        if _is_allowed(view, "nobody"):
            continue
        if method == "post":
            assert answer.status_code == 403, path
            assert "You were logged out" in portals.text_of(answer)
        else:
            assert answer["Location"].startswith("/accounts/login/?next="), path


@pytest.mark.parametrize("role", ROLES)
def test_nothing_changes_by_reading(site, another, own, role):
    browser = site.browser()
    if role != "nobody":
        browser = site.browser_of(site.add_account(role=role))
    before = _read_everything(site)

    for method in HARMLESS:
        for name, path, _view in ROUTES:
            for ids in (own, another) if "<" in path else (own,):
                if name not in BROKEN_KEY:
                    address = f"{_fill(path, {**another, **ids})}?action=disable"
                    getattr(browser, method)(address)

    assert _read_everything(site) == before
    is_in = browser.get("/accounts/factors/").status_code == 200
    assert is_in == (role != "nobody")


def test_a_form_of_another_site_changes_nothing_and_keeps_what_was_typed(site):
    browser = site.browser_of(site.add_account(), enforce_csrf_checks=True)

    answer = browser.post("/team/", {"address": "bob@mercy.example.org"})

    assert answer.status_code == 403
    assert 'name="address" value="bob@mercy.example.org"' in answer.content.decode()
    assert models.Account.objects.count() == 1


def test_one_page_takes_forms_of_another_site(site):
    exempt = [n for n, _, view in ROUTES if getattr(view, "csrf_exempt", False)]

    assert exempt == ["saml_receive"]  # what it takes is signed


def test_a_form_that_is_too_old_keeps_no_password(site):
    browser = site.browser(enforce_csrf_checks=True)

    answer = browser.post("/accounts/login/", {"login": "ann", "password": "canary"})

    page = answer.content.decode()
    assert 'value="ann"' in page
    assert "canary" not in page


GATE = [
    ("data_ops", {}, 204, "write"),
    ("data_ops", {"is_read_only": True}, 204, "read"),
    ("data_ops", {"has_factor": False}, 401, None),
    ("provider", {}, 403, None),
]


@pytest.mark.parametrize(("role", "facts", "status", "access"), GATE)
def test_the_gate_lets_data_ops_through(site, role, facts, status, access):
    account = site.add_account("ops@example.org", role=role, **facts)

    answer = site.browser_of(account).get("/gate/dagster/")

    assert answer.status_code == status
    assert answer.get("X-Cvms-Access") == access
    assert answer.get("X-Cvms-User") == (account.username if access else None)


def test_the_gate_asks_strangers_to_log_in(site):
    answer = site.browser().get("/gate/dagster/")

    assert answer.status_code == 401
    assert "Log in to see Dagster" in portals.text_of(answer)
