"""A recipient is removed: found by the staff, approved by somebody else."""

import installations
import portals
import pytest

from cvms_pipeline.portal.accounts import models
from cvms_pipeline.use_cases import deliver

PEOPLE = [installations.ANN, "Anna,Leeds,5/6/1971,anna@b.example.org"]


@pytest.fixture
def ann(site):
    return site.add_account()


@pytest.fixture
def lee(site):
    return site.browser_of(site.add_account("lee@example.org", role="help_desk"))


@pytest.fixture
def kim(site):
    facts = {"role": "help_desk", "is_supervisor": True}
    return site.browser_of(site.add_account("kim@example.org", **facts))


@pytest.fixture
def number(site, ann):
    """A case about a recipient that the provider has picked."""
    site.installation.bring(PEOPLE)
    query = "SELECT id FROM cvms.recipients WHERE last_name = 'Lee'"
    (recipient,) = site.installation.column(query)
    asked = {"recipient_id": str(recipient), "file": None}
    return site.open_case(ann, "removal", **asked)["number"]


def _send(browser, number, what, **typed):
    version = browser.get(f"/desk/{number}/").context["case"].facts.version
    path = f"/desk/{number}/removal/{what}/"
    return browser.post(path, {"version": version, **typed}, follow=True)


def _find_ids(page):
    return [each.recipient_id for each in page.context["candidates"]]


def test_staff_ask_and_a_supervisor_approves(site, ann, lee, kim, number):
    shown = lee.get(f"/desk/{number}/removal/")
    (recipient,) = _find_ids(shown)
    asked = _send(lee, number, "ask", recipient=recipient)
    own = _send(lee, number, "approve")
    approved = _send(kim, number, "approve")
    deliver.send_alerts(site.pipeline)

    assert "The case is about this recipient." in portals.text_of(shown)
    text = portals.text_of(asked)
    assert "A supervisor approves it, who is somebody else" in text
    assert "Approve: remove the recipient" not in text
    assert "Only a supervisor may approve a removal." in portals.text_of(own)
    text = portals.text_of(approved)
    assert "The recipient is removed." in text
    assert "Resolved" in text
    assert "kim@example.org has removed the recipient" in text
    assert "Lee" not in text
    requester = site.browser_of(ann)
    assert "Total number of records: 1" in portals.text_of(
        requester.get("/recipients/")
    )
    assert requester.get(f"/recipients/{recipient}/").status_code == 404
    seen = portals.text_of(requester.get(f"/cases/{number}/"))
    assert "Help desk has removed the recipient" in seen
    assert "asked for the removal" not in seen
    told = [m["Subject"] for m in site.installation.mail() if m["To"] == ann.email]
    assert told == [
        f"Case {number} opened - Remove a recipient",
        f"Re: Case {number} opened - Remove a recipient",
    ]


def test_a_supervisor_does_not_approve_what_she_has_asked_for(kim, number):
    (recipient,) = _find_ids(kim.get(f"/desk/{number}/removal/"))
    asked = _send(kim, number, "ask", recipient=recipient)
    approved = _send(kim, number, "approve")
    taken_back = _send(kim, number, "take-back")
    nothing = _send(kim, number, "approve")

    assert "Approve: remove the recipient" not in portals.text_of(asked)
    assert "you have asked for it" in portals.text_of(approved)
    assert "Find the recipient" in portals.text_of(taken_back)
    assert "No removal waits for approval" in portals.text_of(nothing)


def test_staff_find_somebody_by_the_beginnings_of_names(site, lee, number):
    path = f"/desk/{number}/removal/"
    both = lee.post(path, {"words": "ann le"})
    one = lee.post(path, {"words": "Anna Leeds", "provider": "mercy"})
    nobody = lee.post(path, {"words": "zoe"})
    empty = lee.post(path, {"words": " "})

    assert "2 recipients match." in portals.text_of(both)
    assert len(_find_ids(one)) == 1
    assert "Anna Leeds" in portals.text_of(one)
    assert "05/06/1971" in portals.text_of(one)
    assert "No recipient matches." in portals.text_of(nobody)
    assert empty.status_code == 422
    assert "Type a name or an e-mail address." in portals.text_of(empty)
    assert "Leeds" not in repr(site.audit("recipients-read"))


def test_what_is_stale_or_unknown_removes_nobody(site, lee, number):
    path = f"/desk/{number}/removal/"
    (recipient,) = _find_ids(lee.get(path))

    stale = _send(lee, number, "ask", recipient=recipient, version="999")
    without = _send(lee, number, "ask", recipient=recipient, version="x")
    forged = _send(lee, number, "ask", recipient="x")
    unknown = _send(
        lee, number, "ask", recipient="018f0000-0000-7000-8000-000000000000"
    )

    for answer in (stale, without):
        assert "Somebody else has changed the case" in portals.text_of(answer)
    assert forged.status_code == 404
    assert "There is no such recipient any more." in portals.text_of(unknown)
    assert site.installation.column("SELECT count(*) FROM cvms.removals") == [0]


def test_the_account_of_a_removed_recipient_goes_with_its_sessions(
    site, lee, kim, number
):
    (recipient,) = _find_ids(lee.get(f"/desk/{number}/removal/"))
    site.installation.execute("UPDATE cvms.recipients SET password_set_at = now()")
    account = models.Account(
        username="own", role="recipient", email="a@b.example.org", recipient=recipient
    )
    account.set_password(portals.PASSWORD)
    account.save()
    own = site.browser_of(account)
    assert own.get("/accounts/sessions/").status_code == 200
    _send(lee, number, "ask", recipient=recipient)
    assert own.get("/accounts/sessions/").status_code == 200

    _send(kim, number, "approve")

    assert own.get("/accounts/sessions/").status_code == 302
    browser = site.browser()
    site.type_password(browser, "own")
    assert "_auth_user_id" not in browser.session
    assert not models.Account.objects.filter(role="recipient").exists()
