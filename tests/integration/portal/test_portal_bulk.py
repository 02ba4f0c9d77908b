"""Bulk Registration: what a provider sees from the file to the alert."""

import io
import logging
import string

import installations
import portals
import pytest
from django import test
from installations import ANN, BAD, BOB, HEADER

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access
from cvms_pipeline.files.portal_files import submitted
from cvms_pipeline.portal.provider import begun, review_words
from cvms_pipeline.portal.site import limits
from cvms_pipeline.use_cases import check
from cvms_pipeline.use_cases.provider_actions import review
from tests import canaries

REVIEW = "/bulk/review/"
HIGH = "/bulk/high-volume/"


def make_file(*rows: str, name: str = "staff.csv", data: bytes | None = None):
    file = io.BytesIO("\r\n".join([HEADER, *rows]).encode() if data is None else data)
    file.name = name
    return file


def make_rows(count: int) -> list[str]:
    letters = string.ascii_lowercase
    names = (letters[n // 26 % 26] + letters[n % 26] for n in range(count))
    return [f"A{n},Lee,1/{i % 28 + 1}/1990,{n}@b.org" for i, n in enumerate(names)]


@pytest.fixture
def browser(site):
    return site.browser_of(site.add_account())


def send(browser, *rows, path="/bulk/", **facts):
    return browser.post(path, {"file": make_file(*rows, **facts)})


def begin(browser, *rows) -> str:
    """Send a file for review; return its id."""
    answer = send(browser, *rows)
    assert answer.status_code == 302, portals.text_of(answer)
    return answer["Location"].split("/")[-2]


def seen_on(page) -> str:
    return page.content.decode().partition('name="seen" value="')[2].partition('"')[0]


def create(browser, review_id):
    page = browser.get(f"{REVIEW}{review_id}/")
    return browser.post(f"{REVIEW}{review_id}/create/", {"seen": seen_on(page)})


def waiting(site) -> list[str]:
    return [each.name for each in site.pipeline.reviews.root.glob("*/file")]


def test_bulk_registration_is_the_first_page_of_a_provider(browser):
    assert browser.get("/")["Location"] == "/bulk/"

    text = portals.text_of(browser.get("/bulk/"))

    assert "Low Volume (100) High Volume (5,000)" in text
    assert "The four columns" in text
    assert "Total number of records: 0" in text


def test_the_template_is_a_file_with_the_header(browser):
    answer = browser.get("/bulk/template.csv")

    assert answer.content.decode() == f"{HEADER}\r\n"
    assert answer["Content-Disposition"] == 'attachment; filename="template.csv"'


def test_the_review_shows_each_row_and_each_problem_in_its_cell(site, browser):
    site.installation.bring([ANN])

    page = browser.get(f"{REVIEW}{begin(browser, ANN, BOB, BOB, BAD)}/")

    text = portals.text_of(page)
    assert "Create Records loads 1 recipient and leaves out 3 rows with a problem." in (
        text
    )
    for words in (
        "2 Already loaded Email: invalid email address: Duplicated ann@b.example.org"
        " Remove the row; ask the help desk if the e-mail address must change."
        " Ann Lee 1/2/1990 ann@b.example.org",
        "3 Loads Bob Lee 3/4/1991 bob@b.example.org",
        "4 Duplicate of line 3",
        "5 Rejected Cy – Required fields are missing Fill in what is empty."
        " 13/41/1991 invalid Date of birth: 13/41/1991 Write month, day"
        " and a year of four digits, such as 12/8/1955. cy@b.example.org",
    ):
        assert words in text


def test_the_page_after_sending_is_not_planned_again_and_a_later_one_is(
    site, browser, monkeypatch
):
    planned = []
    check_file = check.check_file
    monkeypatch.setattr(
        check, "check_file", lambda *a, **k: planned.append(a) or check_file(*a, **k)
    )
    page = f"{REVIEW}{begin(browser, ANN)}/"
    assert "2 Loads Ann Lee" in portals.text_of(browser.get(page))
    assert len(planned) == 1

    site.installation.bring([ANN])

    assert "2 Already loaded" in portals.text_of(browser.get(page))
    assert len(planned) == 2


def test_what_was_planned_some_seconds_ago_is_planned_again(browser, monkeypatch):
    monkeypatch.setattr(begun, "_SECONDS", 0.0)
    review_id = begin(browser, ANN)

    assert begun.take(review_id) is None
    assert "2 Loads Ann Lee" in portals.text_of(browser.get(f"{REVIEW}{review_id}/"))


def test_only_some_plans_are_kept_until_their_page(browser, monkeypatch):
    monkeypatch.setattr(begun, "_MAX", 2)
    ids = [begin(browser, ANN) for _ in range(3)]

    assert [begun.take(each) is None for each in ids] == [True, False, False]
    assert begun.take(ids[2]) is None


def test_another_provider_gets_no_plan_that_was_kept(site, browser):
    other = site.browser_of(site.add_account("dan@duke.example.org", provider="duke"))

    assert other.get(f"{REVIEW}{begin(browser, ANN)}/").status_code == 404


def test_the_review_lists_who_is_probably_known_already(browser):
    swapped = "Lee,Bob,3/4/1991,x@b.example.org"

    text = portals.text_of(browser.get(f"{REVIEW}{begin(browser, BOB, swapped)}/"))

    assert (
        "1 row will be loaded, but is probably a person who is known already. If it is"
        " the same person, cancel, remove the row from the file, and upload it again."
        " Line 3: the same birth date as line 2, first and last name swapped"
    ) in text
    assert "3 Loads, probably known already Lee Bob" in text


def test_the_filter_shows_only_rows_with_problems(browser):
    review_id = begin(browser, ANN, BAD)

    text = portals.text_of(browser.get(f"{REVIEW}{review_id}/?only=problems"))

    assert "Only rows with problems are shown." in text
    assert "13/41/1991" in text
    assert "ann@b.example.org" not in text


def test_the_review_can_be_loaded_again_and_nothing_is_loaded_by_that(site, browser):
    review_id = begin(browser, ANN)

    pages = [browser.get(f"{REVIEW}{review_id}/") for _ in range(3)]

    assert {page.status_code for page in pages} == {200}
    assert site.installation.table("SELECT id FROM cvms.uploads").empty


def test_create_records_loads_the_file_and_the_alert_says_how_many(site, browser):
    review_id = begin(browser, ANN, BOB, BAD)

    answer = create(browser, review_id)
    sent = browser.get(answer["Location"])

    assert answer["Location"] == f"/bulk/sent/{review_id}/"
    assert "The records are being created." in portals.text_of(sent)
    assert waiting(site) == []
    site.installation.process(review_id)
    text = portals.text_of(browser.get(f"/bulk/sent/{review_id}/"))
    assert "2 recipients successfully loaded, 1 failed." in text
    assert "Not as the review has shown" not in text
    made = site.installation.upload(review_id)
    account = str(browser.session["_auth_user_id"])
    assert (made.sent_from, made.sent_by) == (upload.Way.PORTAL, account)


def test_a_second_click_on_create_records_creates_nothing_more(site, browser):
    review_id = begin(browser, ANN)

    answers = [create(browser, review_id) for _ in range(2)]

    assert {each["Location"] for each in answers} == {f"/bulk/sent/{review_id}/"}
    assert site.installation.column("SELECT id FROM cvms.uploads") == [review_id]
    assert browser.get(f"{REVIEW}{review_id}/")["Location"] == (
        f"/bulk/sent/{review_id}/"
    )


def test_rows_that_were_loaded_meanwhile_are_named(site, browser):
    review_id = begin(browser, ANN, BOB)
    page = browser.get(f"{REVIEW}{review_id}/")
    site.installation.bring([ANN])

    browser.post(f"{REVIEW}{review_id}/create/", {"seen": seen_on(page)})
    site.installation.process(review_id)

    text = portals.text_of(browser.get(f"/bulk/sent/{review_id}/"))
    assert "1 recipient successfully loaded, 1 failed." in text
    assert (
        "Line 2: was not loaded, because the person has been loaded meanwhile (the"
        " review said: Loads)."
    ) in text


def test_a_file_that_was_changed_is_not_loaded(site, browser):
    review_id = begin(browser, ANN)
    file = site.pipeline.reviews.root / review_id / "file"
    page = browser.get(f"{REVIEW}{review_id}/")
    file.write_bytes(make_file(BOB).getvalue())

    answer = browser.post(
        f"{REVIEW}{review_id}/create/", {"seen": seen_on(page)}, follow=True
    )

    assert "so nothing was loaded. Cancel, and upload" in portals.text_of(answer)
    cancelled = browser.post(f"{REVIEW}{review_id}/cancel/", follow=True)
    assert "The file was removed. Nothing was loaded." in portals.text_of(cancelled)
    assert site.installation.table("SELECT id FROM cvms.uploads").empty


def test_cancel_removes_the_file_and_says_so(site, browser):
    review_id = begin(browser, ANN)

    answer = browser.post(f"{REVIEW}{review_id}/cancel/", follow=True)

    assert "The file was removed. Nothing was loaded." in portals.text_of(answer)
    assert waiting(site) == []
    gone = browser.get(f"{REVIEW}{review_id}/")
    assert gone.status_code == 404
    assert "This file is no longer here" in portals.text_of(gone)


def test_after_create_it_is_too_late_to_cancel(browser):
    review_id = begin(browser, ANN)
    create(browser, review_id)

    answer = browser.post(f"{REVIEW}{review_id}/cancel/", follow=True)

    assert "It was too late to cancel" in portals.text_of(answer)


def test_after_a_fault_create_records_can_be_pressed_again(site, browser, monkeypatch):
    review_id = begin(browser, ANN)
    page = browser.get(f"{REVIEW}{review_id}/")
    browser.raise_request_exception = False

    def fail(*_: object) -> None:
        raise access.DiskFull

    with monkeypatch.context() as patch:
        patch.setattr(submitted, "make_claim", fail)
        failed = browser.post(f"{REVIEW}{review_id}/create/", {"seen": seen_on(page)})

    assert failed.status_code == 503
    late = browser.post(f"{REVIEW}{review_id}/cancel/", follow=True)
    assert "It was too late to cancel" in portals.text_of(late)
    assert late.redirect_chain[-1][0] == f"{REVIEW}{review_id}/"
    assert create(browser, review_id)["Location"] == f"/bulk/sent/{review_id}/"


def test_log_out_removes_what_waits_and_the_end_of_a_session_does_not(site, browser):
    begin(browser, ANN)
    session = browser.session
    session["cvms_seen"] = 0.0
    session.save()
    browser.get("/bulk/")
    assert len(waiting(site)) == 1

    again = site.browser()
    again.force_login(site.add_account("other@mercy.example.org"))
    begin(again, BOB)
    again.post("/accounts/logout/")

    assert len(waiting(site)) == 1


def test_a_colleague_may_decide_and_another_provider_finds_nothing(site, browser):
    site.installation.add_provider("other")
    review_id = begin(browser, ANN)
    bob = site.browser_of(site.add_account("bob@mercy.example.org"))
    eve = site.browser_of(site.add_account("eve@other.example.org", provider="other"))

    assert bob.get(f"{REVIEW}{review_id}/").status_code == 200
    assert eve.get(f"{REVIEW}{review_id}/").status_code == 404
    for action in ("create", "cancel", "high-volume"):
        assert eve.post(f"{REVIEW}{review_id}/{action}/").status_code == 404
    assert len(waiting(site)) == 1


def test_over_100_rows_the_same_file_goes_to_high_volume_in_one_click(site, browser):
    review_id = begin(browser, *make_rows(101))
    text = portals.text_of(browser.get(f"{REVIEW}{review_id}/"))
    assert (
        "The file has 101 rows; the low_volume folder takes at most 100. Drop it into"
        " the high_volume folder."
    ) in text

    answer = browser.post(f"{REVIEW}{review_id}/high-volume/", follow=True)

    assert "Success · File submitted for processing" in portals.text_of(answer)
    assert site.installation.process(review_id).outcome.loaded == 101


def test_high_volume_shows_the_banner_and_the_upload_that_follows_by_itself(
    site, browser
):
    answer = send(browser, ANN, BAD, path=HIGH)
    page = browser.get(answer["Location"])

    assert "Success · File submitted for processing" in portals.text_of(page)
    (upload_id,) = site.installation.column("SELECT id FROM cvms.uploads")
    live = f"/uploads/{upload_id}/live/"
    assert f'data-live="{live}"' in page.content.decode()
    assert f"2; url={live}" in page.content.decode()
    site.installation.process(upload_id)
    done = browser.get(live).content.decode()
    assert "data-live" not in done
    assert 'http-equiv="refresh"' not in done


def test_the_same_form_sent_twice_is_one_upload_and_another_file_another(site, browser):
    page = browser.get(HIGH).content.decode()
    key = page.partition('name="key" value="')[2].partition('"')[0]

    for rows in ([ANN], [ANN], [BOB]):
        browser.post(HIGH, {"file": make_file(*rows), "key": key})

    assert len(site.installation.table("SELECT id FROM cvms.uploads")) == 2


# What is sent, and how the page begins to say what is wrong.
REFUSED = [
    (b"", "The file is empty: it has no rows below the header."),
    (HEADER.encode(), "The file is empty: it has no rows below the header."),
    (
        b"PK\x03\x04" + b"\0" * 40,
        "a spreadsheet or an archive, not a CSV. Open it in Excel",
    ),
    (b"%PDF-1.7\n", "The file is a PDF, not a CSV. Copy the table into Excel"),
    (b"Name,Mail\na,b\n", "not found in the first row"),
    (f"{HEADER},Email\n{ANN},x".encode(), "found more than once in the first row."),
    (b"x" * 10_000_001, "The file has more than 10,000,000 bytes."),
]


@pytest.mark.parametrize("path", ["/bulk/", HIGH])
@pytest.mark.parametrize(("data", "words"), REFUSED)
def test_a_file_that_is_refused_is_explained_and_not_kept(
    site, browser, path, data, words
):
    answer = send(browser, path=path, data=data)

    assert answer.status_code == 422
    text = portals.text_of(answer)
    assert "There is a problem" in text
    assert text.count(words) == 2  # in the summary, and at the field
    assert waiting(site) == []
    assert site.installation.table("SELECT id FROM cvms.uploads").empty
    (entry,) = site.audit("file-reviewed")
    assert set(entry) == {"event", "actor", "refusal"}


def test_too_many_rows_for_high_volume_are_refused(browser):
    rows = [f"A{i},Lee,1/2/1990,a{i}@b.org" for i in range(5_001)]

    answer = send(browser, *rows, path=HIGH)

    assert (
        "The file has 5,001 rows; the high_volume folder takes at most 5,000. Split it"
        " into 2 files of at most 5,000 rows, each with the header."
    ) in portals.text_of(answer)


def test_a_file_of_exactly_the_limit_is_read(browser):
    data = f"{HEADER}\r\n{ANN}\r\n".encode().ljust(10_000_000, b"\n")

    answer = send(browser, data=data)

    assert answer.status_code == 302


@pytest.mark.parametrize("path", ["/bulk/", "/accounts/login/"])
def test_a_request_that_declares_too_much_is_refused_with_our_page(browser, path):
    with test.override_settings(FILE_UPLOAD_MAX_MEMORY_SIZE=1_001):
        answer = send(browser, path=path, data=b"x" * 300_000)

    assert answer.status_code == 413
    assert (
        "The file has more than 10,000,000 bytes. Split it into smaller files, each"
        " with the header. Nothing was loaded."
    ) in portals.text_of(answer)


def test_without_a_file_the_page_says_what_is_missing(browser):
    answer = browser.post("/bulk/", {})

    assert answer.status_code == 422
    assert "Choose a CSV file first." in portals.text_of(answer)


@pytest.mark.parametrize("path", ["/bulk/", HIGH])
def test_a_disabled_provider_is_told_so(site, browser, path):
    site.installation.execute("UPDATE cvms.providers SET is_enabled = false")

    answer = send(browser, ANN, path=path)

    assert answer.status_code == 422
    assert (
        "Your organisation may not upload at the moment, and nothing was loaded."
        in portals.text_of(answer)
    )


def test_a_provider_that_is_disabled_after_the_review_loads_nothing(site, browser):
    review_id = begin(browser, ANN)
    site.installation.execute("UPDATE cvms.providers SET is_enabled = false")

    answer = browser.post(f"{REVIEW}{review_id}/create/", follow=True)

    assert "Your organisation may not upload" in portals.text_of(answer)
    assert site.installation.table("SELECT id FROM cvms.uploads").empty


def test_an_account_sends_a_limited_number_of_files_in_an_hour(
    browser,
):
    rates = {**limits.RATES, "upload": "2/h/user"}
    with test.override_settings(ACCOUNT_RATE_LIMITS=rates):
        answers = [send(browser, ANN) for _ in range(3)]

    assert [each.status_code for each in answers] == [302, 302, 422]
    assert "You have sent 60 files in an hour" in portals.text_of(answers[-1])


def test_nothing_that_is_sent_reaches_a_temporary_folder(
    site, browser, tmp_path, monkeypatch
):
    import tempfile

    empty = tmp_path / "temporary"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    monkeypatch.setattr(tempfile, "_mkstemp_inner", None)

    answer = send(browser, data=b"x" * 9_000_000)

    assert answer.status_code == 422
    assert list(empty.iterdir()) == []


def test_following_an_upload_extends_no_session(site, browser):
    begin(browser, ANN)
    upload_id = send(browser, ANN, path=HIGH)["Location"].split("/")[-2]
    session = browser.session
    session["cvms_seen"] -= 600
    session.save()
    before = browser.session["cvms_seen"]

    for path in (f"/uploads/{upload_id}/live/", f"/bulk/sent/{upload_id}/live/"):
        assert browser.get(path).status_code == 200

    assert browser.session["cvms_seen"] == before


def test_the_audit_has_who_sent_and_reviewed_what_without_contents(site, browser):
    review_id = begin(browser, ANN, BAD)
    create(browser, review_id)

    found = site.audit("file-reviewed", "upload-claimed")

    actor = "portal:ann@mercy.example.org"
    assert [(each["event"], each["actor"]) for each in found] == [
        ("file-reviewed", actor),
        ("upload-claimed", actor),
    ]
    assert "Lee" not in str(found)


def test_what_is_sent_is_in_no_log_address_or_audit(site, browser, caplog):
    caplog.set_level(logging.DEBUG)
    good = "Zebulonia,Canarywood,7/19/1931,bird@nest.example"
    wrong = "Zebulonia,Quackenbush,13/41/1931,bird@nest.example"
    name = "Canarywood.csv"

    review_id = send(browser, good, wrong, name=name)["Location"].split("/")[-2]
    answers = [create(browser, review_id)]
    answers += [send(browser, good, wrong, path=HIGH, name=name)]
    answers += [send(browser, path=HIGH, data=b"Canarywood", name=name)]

    ours = (r for r in caplog.records if not r.name.startswith(("django", "allauth")))
    assert canaries.find("\n".join(record.getMessage() for record in ours)) == []
    assert canaries.find(repr([answer.headers for answer in answers])) == []
    assert canaries.find(repr(site.audit("file-reviewed", "upload-claimed"))) == []


# What the plan is of: loaded, of which updated, rejected; and the sentence.
PLANS = [
    (1, 0, 0, "Create Records loads 1 recipient."),
    (2, 0, 0, "Create Records loads 2 recipients."),
    (1, 1, 0, "Create Records corrects the e-mail address of 1 recipient."),
    (
        7,
        2,
        3,
        "Create Records loads 5 recipients, corrects the e-mail addresses of 2"
        " recipients and leaves out 3 rows with a problem.",
    ),
    (
        0,
        0,
        4,
        "Create Records loads nobody, because every row has a problem: correct the file"
        " and upload it again.",
    ),
]


@pytest.mark.parametrize(("loaded", "updated", "rejected", "sentence"), PLANS)
def test_one_sentence_says_what_create_records_does(
    loaded, updated, rejected, sentence
):
    from cvms_pipeline.domain.reporting import outcome

    planned = outcome.Outcome(
        rows=loaded + rejected,
        loaded=loaded,
        updated=updated,
        rejected=rejected,
        reasons={"row-cells": rejected} if rejected else {},
    )

    assert review_words.describe_plan(planned) == sentence


@pytest.mark.parametrize(
    ("loaded", "failed", "sentence"),
    [
        (0, 2, "0 recipients successfully loaded, 2 failed."),
        (1, 0, "1 recipient successfully loaded, 0 failed."),
        (4_000, 1_000, "4,000 recipients successfully loaded, 1,000 failed."),
    ],
)
def test_the_alert_counts(loaded, failed, sentence):
    assert review_words.describe_outcome(loaded, failed) == sentence


def test_an_upload_that_takes_long_says_so(site, browser):
    review_id = begin(browser, ANN)
    create(browser, review_id)
    site.installation.clock.forward(minutes=1)

    text = portals.text_of(browser.get(f"/bulk/sent/{review_id}/"))

    assert "This takes longer than usual. Nothing is lost" in text


def test_a_review_waits_for_a_day(site, browser):
    review_id = begin(browser, ANN)
    site.installation.clock.forward(hours=25)

    assert browser.get(f"{REVIEW}{review_id}/").status_code == 404
    assert isinstance(site.installation, installations.Installation)
    assert review.remove_expired(site.pipeline) == 1
