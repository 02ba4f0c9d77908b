"""The history of uploads with its filters, one upload's page, and its receipt."""

import datetime as dt
import re

import installations
import portals
import pytest

from cvms_pipeline.portal.provider import shown_uploads
from cvms_pipeline.store.provider_reads import own_uploads

ROWS = [installations.ANN, installations.BAD]


def files(answer):
    """Return the names of the files in the history, from the top."""
    page = answer.content.decode()
    return re.findall(r'data-label="File"><a[^>]*>([^<]*)<', page)


@pytest.fixture
def browser(site):
    return site.browser_of(site.add_account())


def filtered(browser, **typed):
    answer = browser.post("/uploads/", typed)
    assert answer["Location"] == "/uploads/"
    return browser.get("/uploads/")


def test_who_has_sent_nothing_reads_so(browser):
    text = portals.text_of(browser.get("/uploads/"))

    assert (
        "No uploads yet. Files that you send here, or put into your shared folder,"
        " appear here as soon as they are taken in."
    ) in text


@pytest.fixture
def history(site, browser):
    """Three uploads of the provider, and one of another."""
    site.installation.add_provider("other")
    site.installation.bring([installations.BAD], slug="other", file_name="theirs.csv")
    site.installation.bring(ROWS, file_name="first.csv")
    site.installation.bring([installations.BOB], file_name="second.csv")
    third = site.installation.receive([installations.BOB], file_name="third_100%.csv")
    (ann,) = site.installation.column("SELECT id FROM portal.accounts_account")
    site.installation.execute(
        f"UPDATE cvms.uploads SET sent_from = 'portal', sent_by = '{ann}'"  # noqa: S608 # ids
        f" WHERE id = '{third}'"
    )
    return str(ann)


def test_the_history_has_the_own_uploads_with_their_senders(browser, history):
    answer = browser.get("/uploads/")

    text = portals.text_of(answer)
    assert files(answer) == ["third_100%.csv", "second.csv", "first.csv"]
    assert "ann@mercy.example.org (portal) Waiting 0 0 0" in text
    assert "Shared folder Some rows rejected 2 1 1" in text
    assert "Shared folder Success 1 1 0" in text


# What is chosen, and which files are left.
FILTERS = [
    ({"file_name": "SECOND"}, ["second.csv"]),
    ({"file_name": "%"}, ["third_100%.csv"]),  # not a wildcard
    ({"status": "completed_with_errors"}, ["first.csv"]),
    ({"status": "received"}, ["third_100%.csv"]),
    ({"sender": "folder"}, ["second.csv", "first.csv"]),
    ({"sender": "{ann}"}, ["third_100%.csv"]),
    ({"sender": "{ann}", "status": "completed"}, []),
    ({"since": "{today}", "until": "{today}"}, ["third", "second", "first"]),
    ({"until": "{yesterday}"}, []),
    ({"since": "{tomorrow}"}, []),
]


@pytest.mark.parametrize(("chosen", "expected"), FILTERS)
def test_the_history_is_filtered(site, browser, history, chosen, expected):
    today = site.pipeline.today(site.pipeline.now())
    days = {
        "ann": history,
        "today": today,
        "yesterday": today - dt.timedelta(days=1),
        "tomorrow": today + dt.timedelta(days=1),
    }
    typed = {name: value.format(**days) for name, value in chosen.items()}

    answer = filtered(browser, **typed)

    assert len(files(answer)) == len(expected)
    for found, name in zip(files(answer), expected, strict=True):
        assert found.startswith(name)
    if not expected:
        assert "No upload matches." in portals.text_of(answer)
    assert len(files(filtered(browser, all="yes", **typed))) == 3


def test_a_filter_that_is_no_filter_is_explained(browser, history):
    answer = browser.post("/uploads/", {"since": "soon", "sender": "eve"})

    assert answer.status_code == 422
    assert "Enter a valid date." in portals.text_of(answer)
    assert "Select a valid choice." in portals.text_of(answer)
    assert len(files(answer)) == 3


def test_pages_show_every_upload_once_in_both_directions(browser, history, monkeypatch):
    monkeypatch.setattr(own_uploads, "PAGE", 2)

    def turn(answer, rel):
        link = re.search(rf'rel="{rel}" href="([^"]*)"', answer.content.decode())
        return browser.get(f"/uploads/{link[1]}")

    first = browser.get("/uploads/")
    second = turn(first, "next")
    back = turn(second, "prev")

    assert files(first) == files(back) == ["third_100%.csv", "second.csv"]
    assert files(second) == ["first.csv"]
    assert "Newer" not in portals.text_of(back)


def test_a_page_that_does_not_exist_is_the_first_one(browser, history):
    assert len(files(browser.get("/uploads/?after=../x"))) == 3


def test_an_upload_shows_how_many_rows_have_which_reason(site, browser):
    found = site.installation.bring(ROWS)

    text = portals.text_of(browser.get(f"/uploads/{found}/"))

    assert "Sent by Shared folder" in text
    assert (
        "Rows What is wrong How to correct it"
        " 1 One or more of the four required fields are empty."
        " Fill in the empty required fields in 1 row."
    ) in text
    assert "Enter a birth date as M/D/YYYY in 1 row." in text
    assert "Invitations 1 waiting" in text


def test_the_title_of_an_upload_has_no_file_name(site, browser):
    found = site.installation.bring(ROWS, file_name="quackenbush.csv")

    page = browser.get(f"/uploads/{found}/").content.decode()

    assert "quackenbush.csv" in page
    assert f"<title>Upload {found}" in page


def test_the_page_says_who_has_taken_the_error_report(site, browser):
    found = site.installation.bring(ROWS)
    bob = site.browser_of(site.add_account("bob@mercy.example.org"))

    before = portals.text_of(browser.get(f"/uploads/{found}/"))
    bob.get(f"/uploads/{found}/BulkError.csv")
    after = portals.text_of(browser.get(f"/uploads/{found}/"))

    assert "Taken by" not in before
    assert re.search(r"Taken by: bob@mercy\.example\.org, \w+ \d", after)


LATE = (
    "This takes longer than usual. Nothing is lost: the file is processed as soon as"
    " that is possible. There is nothing to do: do not send it again."
)


def test_a_waiting_upload_says_how_long_uploads_take(site, browser):
    found = site.installation.receive(ROWS)

    unknown = portals.text_of(browser.get(f"/uploads/{found}/"))
    for _ in range(5):
        site.installation.bring([installations.BOB])
    site.installation.execute(
        "UPDATE cvms.uploads SET decided_at = received_at + interval '42 seconds'"
        " WHERE decided_at IS NOT NULL"
    )
    usual = portals.text_of(browser.get(f"/uploads/{found}/"))
    site.installation.clock.forward(seconds=60)
    soon = portals.text_of(browser.get(f"/uploads/{found}/"))
    site.installation.clock.forward(seconds=67)
    late = portals.text_of(browser.get(f"/uploads/{found}/"))

    assert "Rows in file" not in unknown
    leave = "You may leave this page: the outcome is sent by mail, too."
    assert f"turn. {leave}" in unknown
    assert f"The latest uploads of this kind took about 40 seconds. {leave}" in usual
    assert LATE not in soon
    assert LATE in late


def test_an_upload_that_was_said_to_be_delayed_is_late(site, browser):
    found = site.installation.receive(ROWS)
    site.installation.execute("UPDATE cvms.uploads SET delayed_at = now()")

    assert LATE in portals.text_of(browser.get(f"/uploads/{found}/"))


# Seconds, and how they are said.
TIMES = [
    (0.4, "a few seconds"),
    (14, "about 10 seconds"),
    (59, "about 60 seconds"),
    (61, "about a minute"),
    (150, "about 2 minutes"),
]


@pytest.mark.parametrize(("seconds", "words"), TIMES)
def test_waiting_times_are_in_words(seconds, words):
    assert shown_uploads.describe_seconds(seconds) == words


def code_of(answer):
    return re.search(r'class="check">([^<]*)<', answer.content.decode())[1]


def test_a_receipt_has_the_facts_and_a_check_code(site, browser):
    found = site.installation.bring(ROWS)

    answer = browser.get(f"/uploads/{found}/receipt/")

    text, facts = portals.text_of(answer), site.installation.upload(found)
    assert f"Organization Mercy Upload {found} File staff.csv" in text
    assert f"SHA-256 of the file {facts.sha256}" in text
    assert f"Edition of the rules {facts.rules_version}" in text
    assert "Rows in file 2 Loaded 1 of which updated 0 Rejected 1" in text
    assert "Printed for ann@mercy.example.org" in text
    assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code_of(answer))
    assert code_of(browser.get(f"/uploads/{found}/receipt/")) == code_of(answer)


def test_an_upload_and_the_history_say_how_far_its_people_are(site):
    upload = site.installation.bring([installations.ANN, installations.BOB])
    site.installation.execute("UPDATE cvms.recipients SET password_set_at = now()")
    site.installation.execute(
        "UPDATE cvms.recipients SET registered_at = now() WHERE first_name = 'Ann'"
    )
    browser = site.browser_of(site.add_account())

    page = portals.text_of(browser.get(f"/uploads/{upload}/"))
    history = browser.get("/uploads/").content.decode()

    assert "Invitations 2 waiting" in page
    assert (
        "Of the 2 people whom this upload has loaded, 2 have set a password and 1 has"
        " registered."
    ) in page
    assert 'data-label="Password set" class="number">2<' in history
    assert 'data-label="Registered" class="number">1<' in history


def test_a_receipt_says_what_is_outstanding_and_keeps_its_check_code(site, browser):
    found = site.installation.bring([installations.BAD])
    before = browser.get(f"/uploads/{found}/receipt/")

    child = [installations.BAD.replace(",,", ",Lee,").replace("13/41", "12/1")]
    site.installation.bring(child, file_name="fixed.csv")
    after = browser.get(f"/uploads/{found}/receipt/")

    assert "1 rejected row is outstanding." in portals.text_of(before)
    assert (
        "No rejected row of this upload is outstanding. All that is outstanding 1"
        " rejected row came back in fixed.csv : 1 loaded."
    ) in portals.text_of(after)
    assert code_of(after) == code_of(before)


def test_an_upload_without_an_outcome_has_no_receipt(site, browser):
    found = site.installation.receive(ROWS)

    answer = browser.get(f"/uploads/{found}/receipt/")

    assert answer.status_code == 404
    assert "Receipt" not in portals.text_of(browser.get(f"/uploads/{found}/"))


def test_the_receipt_of_a_refused_file_says_why(site, browser):
    found = site.installation.bring(b"")

    text = portals.text_of(browser.get(f"/uploads/{found}/receipt/"))

    assert (
        "The file was not taken, and nothing was loaded. The file is empty: it has no"
        " rows below the header."
    ) in text


def test_an_upload_with_rejected_rows_names_mistakes_that_recur(site, browser):
    for last in ("Lee", "Doe", "Poe"):
        found = site.installation.bring([f"Ann,{last},1955-12-01,a@b.example.org"])

    pages = [browser.get(path) for path in (f"/uploads/{found}/", "/bulk/")]

    words = (
        "Mistakes that recur 3 of the 3 rows that were rejected in your last 3 uploads:"
        " birth dates that cannot be read, mostly dates like YYYY-MM-DD."
    )
    assert all(words in portals.text_of(page) for page in pages)
