"""What requesters and providers do: open a case, follow it, answer, close it."""

import io
import re

import installations
import portals
import pytest

from cvms_pipeline.portal.site import limits
from cvms_pipeline.use_cases import deliver

ROSA = "rosa@clinic.example.org"
ROWS = "\n".join([installations.HEADER, installations.ANN, installations.BAD])
ASKED = {
    "kind": "bulk_upload",
    "vfc_pin": "nca654321",
    "organisation": "Harbor Clinic",
    "name": "Rosa Diaz",
    "email": ROSA,
    "details": "Please load this file.",
}
NUMBER = "VACHCP0001001"


@pytest.fixture
def rosa(site):
    names = {"first_name": "Rosa", "last_name": "Diaz"}
    return site.browser_of(site.add_account(ROSA, role="requester", **names))


def _attach(name="clinic.csv", text=ROWS):
    file = io.BytesIO(text.encode())
    file.name = name
    return file


def _find_key(page, form=""):
    """Return the key of the first form behind a text on the page."""
    found = page.content.decode().partition(form)[2]
    return re.search(r'name="key" value="([^"]+)"', found)[1]


def _open(browser, **asked):
    key = _find_key(browser.get("/cases/new/"), "<form")
    typed = {**ASKED, "key": key, "file": _attach(), **asked}
    return browser.post("/cases/new/", typed)


def _send(browser, what, **typed):
    page = browser.get(f"/cases/{NUMBER}/")
    key = _find_key(page, f"/cases/{NUMBER}/{what}/")
    return browser.post(f"/cases/{NUMBER}/{what}/", {"key": key, **typed}, follow=True)


def test_a_location_without_an_account_opens_a_case_and_follows_it(site, rosa):
    empty = portals.text_of(rosa.get("/cases/"))
    form = rosa.get("/cases/new/").content.decode()
    answer = _open(rosa)
    opened, listed = rosa.get(answer["Location"]), rosa.get("/cases/")
    page = rosa.get(f"/cases/{NUMBER}/")
    deliver.send_alerts(site.pipeline)

    assert "No cases yet." in empty
    assert f'value="{ROSA}"' in form
    assert 'value="Rosa Diaz"' in form
    assert answer["Location"] == f"/cases/{NUMBER}/opened/"
    assert f"Case {NUMBER} is opened" in portals.text_of(opened)
    assert f"{NUMBER} Recipient Bulk Upload New" in portals.text_of(listed)
    text = portals.text_of(page)
    assert "New The help desk has it, and has not begun yet." in text
    assert "Harbor Clinic (NCA654321)" in text
    assert "Rosa Diaz has opened the case" in text
    assert "Please load this file." in text
    (message,) = site.installation.mail()
    assert message["Subject"] == f"Case {NUMBER} opened - Recipient Bulk Upload"
    body = message.get_body(("plain",)).get_content()
    assert f"/cases/{NUMBER}/" in body
    assert "Harbor" not in body


def test_what_is_wrong_is_said_beside_the_fields_and_kept(rosa):
    wrong = {
        "kind": "",
        "vfc_pin": "12",
        "organisation": "",
        "email": "eve@other.example.org",
    }

    answer = _open(rosa, **wrong)
    without_file = _open(rosa, file="")

    text = portals.text_of(answer)
    assert answer.status_code == 422
    assert "There is a problem" in text
    for words in ("Choose what you need.", "Enter the VFC PIN", "of your account"):
        assert words in text
    assert "Please load this file." in answer.content.decode()
    assert "Attach the CSV file with the recipients." in portals.text_of(without_file)
    assert "No cases yet." in portals.text_of(rosa.get("/cases/"))


def test_the_same_form_opens_one_case_however_often_it_is_sent(rosa):
    key = _find_key(rosa.get("/cases/new/"), "<form")

    again = [
        rosa.post("/cases/new/", {**ASKED, "key": key, "file": _attach()})["Location"]
        for _ in range(2)
    ]
    other = rosa.post(
        "/cases/new/", {**ASKED, "key": key, "file": _attach(), "details": "other"}
    )

    assert again == [f"/cases/{NUMBER}/opened/"] * 2
    assert other["Location"] == "/cases/VACHCP0001002/opened/"


def test_a_requester_replies_adds_a_file_and_closes(site, rosa):
    _open(rosa)
    empty = [_send(rosa, "reply", text=" "), _send(rosa, "file", file="")]
    replied = _send(rosa, "reply", text="One more question.")
    added = _send(rosa, "file", file=_attach("more.csv"))
    link = re.search(r'href="([^"]+)">more.csv', added.content.decode())[1]
    saved = rosa.get(link)
    closed = _send(rosa, "close")
    late = rosa.post(f"/cases/{NUMBER}/reply/", {"text": "too late"})

    assert [each.status_code for each in empty] == [422, 422]
    assert "Type your reply." in portals.text_of(empty[0])
    assert "Choose a file first." in portals.text_of(empty[1])
    assert "Your reply is sent." in portals.text_of(replied)
    assert "One more question." in portals.text_of(replied)
    assert "Rosa Diaz has added a file" in portals.text_of(added)
    assert saved.content.decode() == ROWS
    assert saved["Content-Disposition"] == 'attachment; filename="more.csv"'
    assert saved["X-Content-Type-Options"] == "nosniff"
    assert saved["Content-Type"] == "application/octet-stream"
    assert "The case is closed. If there is more to say" in portals.text_of(closed)
    assert late.status_code == 422
    assert "nothing was added" in portals.text_of(late)
    assert "too late" not in portals.text_of(rosa.get(f"/cases/{NUMBER}/"))


def test_who_opens_too_many_cases_is_told_so(rosa):
    for _ in range(limits.MAX_CASES_PER_HOUR):
        assert _open(rosa, kind="onboarding", file="").status_code == 302

    answer = _open(rosa)

    assert answer.status_code == 422
    assert "You have opened 20 cases in an hour." in portals.text_of(answer)


@pytest.fixture
def ann(site):
    return site.browser_of(site.add_account())


def _ask(browser, query):
    page = browser.get(f"/cases/new/{query}")
    names = ("kind", "upload", "line", "recipient", "vfc_pin", "organisation", "key")
    form = page.context["form"]
    typed = {
        name: form.get_initial_for_field(form.fields[name], name) for name in names
    }
    typed = {name: value for name, value in typed.items() if value}
    return page, typed


def test_a_provider_asks_about_a_rejected_line_without_typing_it_again(site, ann):
    upload = site.installation.bring([installations.ANN, installations.BAD])
    shown = ann.get(f"/uploads/{upload}/").content.decode()
    link = re.search(r"/cases/new/(\?[^\"]+)", shown)[1].replace("&amp;", "&")
    page, typed = _ask(ann, link)
    opened = ann.post(
        "/cases/new/", {**typed, "name": "Ann", "email": "ann@mercy.example.org"}
    )
    case = portals.text_of(ann.get(f"/cases/{NUMBER}/"))

    text = portals.text_of(page)
    assert link == f"?upload={upload}&line=3"
    assert "About line 3 of staff.csv, which was rejected" in text
    assert "One or more of the four required fields are empty." in text
    assert 'value="NCA123456"' in page.content.decode()
    assert opened.status_code == 302, portals.text_of(opened)
    assert f"{upload} , line 3" in case
    assert f"Case {NUMBER}" in portals.text_of(ann.get(f"/uploads/{upload}/"))


def test_a_provider_requests_the_removal_of_a_recipient(site, ann):
    site.installation.bring([installations.ANN])
    (recipient,) = site.installation.column("SELECT id FROM cvms.recipients")
    shown = ann.get(f"/recipients/{recipient}/").content.decode()
    link = re.search(r"/cases/new/(\?[^\"]+)", shown)[1]
    page, typed = _ask(ann, link)
    opened = ann.post(
        "/cases/new/", {**typed, "name": "Ann", "email": "ann@mercy.example.org"}
    )

    assert link == f"?recipient={recipient}"
    assert "About Ann Lee, born 01/02/1990." in portals.text_of(page)
    assert typed["kind"] == "removal"
    assert opened.status_code == 302, portals.text_of(opened)


def test_nobody_asks_about_what_is_somebody_elses(site, ann, rosa):
    site.installation.add_provider("other")
    upload = site.installation.bring(
        [installations.ANN, installations.BAD], slug="other"
    )
    (recipient,) = site.installation.column("SELECT id FROM cvms.recipients")
    queries = [
        {"upload": upload, "line": "3"},
        {"upload": upload},
        {"recipient": str(recipient)},
        {"recipient": "x"},
        {"upload": "x", "line": "x"},
    ]

    for browser in (ann, rosa):
        for query in queries:
            assert browser.get("/cases/new/", query).status_code == 404
            answer = browser.post("/cases/new/", {**ASKED, "file": _attach(), **query})
            assert answer.status_code in (404, 422)
    assert site.installation.column("SELECT count(*) FROM cvms.cases") == [0]


def test_colleagues_share_their_cases(site):
    number = site.open_case(site.add_account())["number"]
    bob = site.browser_of(site.add_account("bob@mercy.example.org"))

    assert number in portals.text_of(bob.get("/cases/"))
    assert bob.get(f"/cases/{number}/").status_code == 200
    assert bob.get(f"/cases/{number.lower()}/").status_code == 200
