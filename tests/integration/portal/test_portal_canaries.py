"""Canaries: what is typed, loaded or mailed is in no log, address, metric or fault.

Every route is asked, by its name in the table of routes, so new pages are tried too.
"""

import logging
import re

import prometheus_client
import pytest
from django.urls import get_resolver

from cvms_pipeline.domain.vocabulary import registration
from cvms_pipeline.portal.accounts import administration, recording, roles
from cvms_pipeline.use_cases import deliver
from tests import canaries

ROW = "Zebulonia,Canarywood,7/19/1931,bird@nest.example"
WRONG = "Zebulonia,Quackenbush,13/41/1931,bird@nest.example"
ADDRESS = "ann.canarywood@nest.example"
FIELDS = ["login", "password", "again", "username", "code", "first", "last", "q"]
FIELDS += ["first_name", "last_name", "organisation", "details", "text", "reason"]
FIELDS += registration.FIELDS
ROLES = ("provider", "data_ops", "requester", "help_desk", "recipient")
ASKED = {
    "organisation": "Canarywood Clinic",
    "name": "Zebulonia Canarywood",
    "details": f"{ROW} is wrong",
    "rows": [ROW, WRONG],
}
TYPED = {**dict.fromkeys([*FIELDS, "name", "why"], "Canarywood"), "address": ADDRESS}
NOT_OURS = ("django", "allauth")  # `serving` silences them


@pytest.fixture
def said(caplog):
    """What the processes of the portal write: all loggers that are not silenced."""
    caplog.set_level(logging.DEBUG)

    def read():
        ours = (
            r for r in caplog.records if not r.name.startswith(("django", "allauth"))
        )
        return "\n".join(record.getMessage() for record in ours)

    return read


@pytest.fixture
def ids(site):
    """What routes need, of people whose names are canaries."""
    upload = site.installation.bring([ROW, WRONG])
    account = site.add_account(f"bob.{ADDRESS}")
    (recipient,) = site.installation.column("SELECT id FROM cvms.recipients")
    return {
        "upload_id": upload,
        "account_id": account.pk,
        "recipient_id": recipient,
        "pk": 1,
        "token": administration.print_link(site.pipeline, account).rsplit("/", 2)[1],
    }


def _list_pages(ids):
    """Return the path and the view of every page."""

    def walk(patterns, prefix="/"):
        for each in patterns:
            path = prefix + str(each.pattern)
            if hasattr(each, "url_patterns"):
                yield from walk(each.url_patterns, path)
            else:
                filled = re.sub(r"<\w+:(\w+)>", lambda m: str(ids.get(m[1], 1)), path)
                yield filled, each.callback

    return list(walk(get_resolver().url_patterns))


def _visit_all(site, ids, **options):
    """Ask every page with canaries, by all who may open it; return the answers."""
    answers = []
    accounts = [site.add_account(ADDRESS, role=role) for role in ROLES]
    case = site.open_case(accounts[ROLES.index("requester")], **ASKED)
    for path, view in _list_pages(ids | case):
        allowed = roles.get_roles(view)
        visitors = [each for each in accounts if each.role in allowed]
        for account in visitors or accounts[:2]:
            browser = site.browser_of(account, **options)
            answers += [
                browser.get(path, {"q": "Quackenbush"}),
                browser.post(path, TYPED),
                browser.get(f"{path}Canarywood/"),
            ]
    return answers


def _find_in_addresses(answers):
    """Return the canaries in where answers lead to, and in their other headers.

    The gate names the account to the proxy.
    """
    told = [{**answer.headers, "X-Cvms-User": ""} for answer in answers]
    return canaries.find(repr(told))


def test_no_page_writes_or_leads_to_what_it_was_told(site, ids, said):
    answers = _visit_all(site, ids)

    assert canaries.find(said()) == []
    assert ids["token"] not in said()
    assert _find_in_addresses(answers) == []
    assert canaries.find(prometheus_client.generate_latest()) == []


def test_no_fault_tells_what_the_page_was_told(site, ids, said, monkeypatch):
    def fail(*_args, **_options):
        raise ValueError(f"Zebulonia Canarywood {ADDRESS} {ids['token']}")

    monkeypatch.setattr(recording, "open_pipeline", fail)
    answers = _visit_all(site, ids, raise_request_exception=False)

    faults = [answer for answer in answers if answer.status_code == 500]
    assert faults
    assert canaries.find(b"\n".join(answer.content for answer in faults)) == []
    assert canaries.find(said()) == []
    assert ids["token"] not in said()
    assert _find_in_addresses(answers) == []


def test_mails_to_accounts_have_no_canary_but_whom_they_go_to(site, ids):
    account = site.add_account(ADDRESS)
    administration.send_link(site.pipeline, account)

    deliver.send_alerts(site.pipeline)

    (message,) = [m for m in site.installation.mail() if m["To"] == ADDRESS]
    text = message.get_body(("plain",)).get_content().replace(ADDRESS, "")
    assert canaries.find(text) == []
    assert canaries.find(str(message["Subject"])) == []


def test_mails_about_cases_have_nothing_of_what_was_typed_or_attached(site):
    rosa = site.add_account(ADDRESS, role="requester")
    staff = site.browser_of(site.add_account("lee@example.org", role="help_desk"))
    number = site.open_case(rosa, **ASKED)["number"]
    for what in ("reply", "note"):
        version = staff.get(f"/desk/{number}/").context["case"].facts.version
        typed = {"text": ROW, "version": version, "state": "resolved"}
        assert staff.post(f"/desk/{number}/{what}/", typed).status_code == 302

    deliver.send_alerts(site.pipeline)

    messages = [m for m in site.installation.mail() if m["To"] == ADDRESS]
    told = [str(m).replace(ADDRESS, "") for m in messages]
    assert len(told) == 3  # opened, answered, resolved
    assert canaries.find("\n".join(told)) == []


def test_removing_a_recipient_writes_and_leads_to_no_canary(site, ids, said):
    manager = site.add_account(ADDRESS)
    desk = {"role": "help_desk"}
    lee = site.browser_of(site.add_account("lee@example.org", **desk))
    kim = site.browser_of(
        site.add_account("kim@example.org", is_supervisor=True, **desk)
    )
    asked = {"recipient_id": str(ids["recipient_id"]), "file": None}
    number = site.open_case(manager, "removal", **(ASKED | asked))["number"]
    path = f"/desk/{number}/removal/"

    answers = [
        lee.get(path),
        lee.post(path, {"words": "Zebulonia Canarywood"}),
        lee.post(path, {"words": "bird@nest.example"}),
        lee.post(path, {"words": " "}),
    ]
    for browser, what in ((lee, "ask"), (lee, "approve"), (kim, "approve")):
        version = browser.get(f"/desk/{number}/").context["case"].facts.version
        typed = {"version": version, "recipient": ids["recipient_id"], "words": ROW}
        answers.append(browser.post(f"{path}{what}/", typed))
    answers.append(kim.get(f"/desk/{number}/"))
    deliver.send_alerts(site.pipeline)

    assert canaries.find(answers[1].content)  # it was found
    assert site.installation.column(
        "SELECT count(*) FROM cvms.removals WHERE approved_at IS NOT NULL"
    ) == [1]
    assert canaries.find(said()) == []
    assert _find_in_addresses(answers) == []
    assert canaries.find(repr(site.audit("removal-asked", "recipient-removed"))) == []
    assert canaries.find(prometheus_client.generate_latest()) == []
    told = [m for m in site.installation.mail() if m["To"] == ADDRESS]
    assert canaries.find("".join(str(m).replace(ADDRESS, "") for m in told)) == []
