"""What the staff do: find a case, work on it together, answer, and keep notes."""

import re
import time

import portals
import pytest

from cvms_pipeline.portal.accounts import middleware
from cvms_pipeline.portal.help_desk.staff import presence
from cvms_pipeline.use_cases import deliver

ROSA = "rosa@clinic.example.org"

FILL = """
INSERT INTO cvms.cases (
    kind, vfc_pin, organisation, requester, requester_name, requester_email, key,
    opened_at, waiting_since
)
SELECT kind, vfc_pin, organisation, requester, requester_name, requester_email,
    n::text, opened_at, waiting_since
FROM cvms.cases CROSS JOIN generate_series(1, {more}) AS n
"""


@pytest.fixture
def rosa(site):
    return site.add_account(ROSA, role="requester", first_name="Rosa", last_name="Diaz")


@pytest.fixture
def lee(site):
    return site.add_account("lee@example.org", role="help_desk")


@pytest.fixture
def kim(site):
    return site.add_account("kim@example.org", role="help_desk", is_supervisor=True)


@pytest.fixture
def number(site, rosa):
    return site.open_case(rosa)["number"]


def _read_forms(page):
    """Return what each form on the page of a case sends, by its path."""
    found = {}
    forms = re.findall(r'<form[^>]*action="([^"]+)"(.*?)</form>', page, re.DOTALL)
    for path, inner in forms:
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inner)
        chosen = re.findall(
            r'<select name="(\w+)".*?value="([^"]*)" selected', inner, re.DOTALL
        )
        found[path] = dict(hidden + chosen)
    return found


def _send(browser, number, what, *, page=None, **typed):
    shown = page or browser.get(f"/desk/{number}/").content.decode()
    path = f"/desk/{number}/{what}/"
    return browser.post(path, _read_forms(shown)[path] | typed, follow=True)


def _list_numbers(page):
    return re.findall(r'href="/desk/(VACHCP\d+)/"', page.content.decode())


def test_the_queue_says_when_it_has_stopped_counting(site, rosa, lee):
    site.open_case(rosa)
    browser = site.browser_of(lee)
    site.installation.execute(FILL.format(more=999))
    many = portals.text_of(browser.get("/desk/"))
    site.installation.execute("DELETE FROM cvms.cases WHERE key = '1'")
    fewer = portals.text_of(browser.get("/desk/"))

    assert "New 1,000 or more In progress 0" in many
    assert "1,000 or more cases, the one that waits longest first" in many
    assert "New 999 In progress 0" in fewer
    assert "999 cases, the one" in fewer


def test_the_queue_shows_who_waits_longest_and_finds_what_is_wanted(site, rosa, lee):
    numbers = []
    for kind in ("bulk_upload", "onboarding", "removal"):
        numbers.append(site.open_case(rosa, kind)["number"])
        site.installation.clock.forward(hours=20)
    browser = site.browser_of(lee)
    everything = browser.get("/desk/")
    _send(browser, numbers[2], "handle", assignee=str(lee.pk), priority="1")
    _send(browser, numbers[1], "handle", state="closed")

    def find(**chosen):
        return _list_numbers(browser.post("/desk/", chosen, follow=True))

    text = portals.text_of(everything)
    assert _list_numbers(everything) == numbers
    assert "New 3 In progress 0 Waiting for requester 0 Resolved 0 Closed 0" in text
    assert text.count("Overdue") == 3  # two cases, and the filter
    assert find(state="closed") == [numbers[1]]
    assert find(kind="removal") == [numbers[2]]
    assert find(priority="1") == [numbers[2]]
    assert find(assignee=str(lee.pk)) == [numbers[2]]
    assert find(assignee="none") == [numbers[0]]
    assert find(overdue="yes") == [numbers[0]]
    assert find(number=f" {numbers[1].lower()} ") == [numbers[1]]
    assert find(number="Rosa Diaz") == []
    assert find(all="yes") == [numbers[0], numbers[2]]
    assert [e["event"] for e in site.audit("case-changed")] == ["case-changed"] * 3


def test_a_message_leads_the_staff_to_their_own_page(site, lee, number):
    answer = site.browser_of(lee).get(f"/cases/{number}/")

    assert answer["Location"] == f"/desk/{number}/"


def test_a_reply_is_told_and_a_note_is_not(site, rosa, lee, number):
    staff, requester = site.browser_of(lee), site.browser_of(rosa)
    noted = _send(staff, number, "note", text="She was rude last time.")
    replied = _send(staff, number, "reply", text="Which PIN is it?")
    seen = requester.get(f"/cases/{number}/")
    deliver.send_alerts(site.pipeline)

    assert "Internal note — never sent to the requester" in portals.text_of(noted)
    assert "She was rude last time." in portals.text_of(replied)
    assert "lee@example.org has written" in portals.text_of(replied)
    text = portals.text_of(seen)
    assert "Help desk has written" in text
    assert "Which PIN is it?" in text
    assert "The help desk waits for your answer." in text
    assert "rude" not in seen.content.decode()
    assert "lee@example.org" not in seen.content.decode()
    first, second = site.installation.mail()
    assert (second["To"], second["Subject"]) == (ROSA, f"Re: {first['Subject']}")
    mails = "".join(str(each) for each in (first, second))
    assert "rude" not in mails
    assert "PIN" not in mails


def test_a_stale_save_is_refused_and_both_texts_are_kept(site, rosa, lee, kim, number):
    first, second = site.browser_of(lee), site.browser_of(kim)
    shown = first.get(f"/desk/{number}/").content.decode()
    for what, text in (("reply", "from Kim"), ("note", "noted by Kim")):
        _send(second, number, what, text=text)

    answers = {
        "reply": _send(first, number, "reply", page=shown, text="from Lee"),
        "note": _send(first, number, "note", page=shown, text="noted by Lee"),
        "handle": _send(first, number, "handle", page=shown, state="closed"),
    }
    again = answers["reply"].content.decode()
    saved = _send(first, number, "reply", page=again, text="from Lee")

    assert {each.status_code for each in answers.values()} == {409}
    for name, text in (("reply", "from Lee"), ("note", "noted by Lee")):
        page = answers[name].content.decode()
        assert "Somebody else has changed this case" in page
        assert re.search(rf">\s*{text}</textarea>", page)
        assert "from Kim" in page
        assert "noted by Kim" in page
    assert saved.status_code == 200
    seen = portals.text_of(site.browser_of(rosa).get(f"/cases/{number}/"))
    assert seen.index("from Kim") < seen.index("from Lee")
    assert "Closed" not in seen


def test_what_is_missing_is_named(site, lee, number):
    browser = site.browser_of(lee)

    for what, words in (("reply", "Type your reply."), ("note", "Type the note.")):
        answer = _send(browser, number, what, text=" ")
        assert answer.status_code == 422
        assert words in portals.text_of(answer)
    wrong = _send(browser, number, "handle", state="new", assignee="nobody")
    assert wrong.status_code == 422


def test_the_same_reply_is_sent_once(site, rosa, lee, number):
    browser = site.browser_of(lee)
    page = browser.get(f"/desk/{number}/").content.decode()

    for _ in range(2):
        answer = _send(browser, number, "reply", page=page, text="Only once.")

    assert answer.status_code == 200
    assert portals.text_of(answer).count("Only once.") == 1


def test_a_closed_case_is_not_replied_to_and_can_be_opened_again_by_its_state(
    site, lee, number
):
    browser = site.browser_of(lee)
    page = browser.get(f"/desk/{number}/").content.decode()
    closed = _send(browser, number, "handle", state="closed")
    refused = _send(browser, number, "reply", page=page, text="too late")
    opened = _send(browser, number, "handle", state="in_progress")

    assert "Reply to the requester" not in portals.text_of(closed)
    assert refused.status_code == 409
    assert "lee@example.org has set the state to In progress" in portals.text_of(opened)


def test_it_says_who_else_looks_without_extending_the_session(site, lee, kim, number):
    first, second = site.browser_of(lee), site.browser_of(kim)
    alone = first.get(f"/desk/{number}/")
    together = second.get(f"/desk/{number}/")
    session = second.session
    session[middleware.SEEN] = before = time.time() - 60
    session.save()
    asked = second.get(f"/desk/{number}/looking/")
    elsewhere = first.get("/desk/VACHCP0001999/looking/")

    assert "looks at this case, too" not in portals.text_of(alone)
    assert "lee@example.org looks at this case, too." in portals.text_of(together)
    assert portals.text_of(asked) == "lee@example.org looks at this case, too."
    assert second.session[middleware.SEEN] == before
    assert portals.text_of(elsewhere) == ""
    assert presence.note_looking(1001, str(kim.pk)) == ["lee@example.org"]


def test_every_case_that_is_read_and_file_that_is_saved_is_in_the_audit(
    site, rosa, lee
):
    ids = site.open_case(rosa)
    browser = site.browser_of(lee)

    browser.get(f"/desk/{ids['number']}/")
    saved = browser.get(f"/desk/{ids['number']}/files/{ids['file_id']}/")

    assert saved["Content-Disposition"] == 'attachment; filename="clinic.csv"'
    entries = site.audit("case-read", "case-file-read")
    assert [(e["event"], e["actor"]) for e in entries] == [
        ("case-read", "portal:lee@example.org"),
        ("case-file-read", "portal:lee@example.org"),
    ]
