"""What notices, receipts, invitations and alerts say."""

import datetime as dt
import zoneinfo

import pytest

from cvms_pipeline.domain import outcome, reasons
from cvms_pipeline.notify import messages

SENDER = "Vaccine Management System <nccvms@dhhs.nc.gov>"
ID = "20260105-101500-abcdefgh"


def ended(*, rows=0, loaded=0, updated=0, rejected=0, refusal=None):
    codes = {reasons.EMAIL_INVALID: rejected} if rejected else {}
    return outcome.Outcome(
        rows=rows,
        loaded=loaded,
        updated=updated,
        rejected=rejected,
        reasons=codes,
        refusal=refusal,
    )


def result(ending, **changes):
    facts = {"upload_id": ID, "file_name": "staff.csv", "outcome": ending}
    return messages.Result(**(facts | changes))


def notice(ending, *, report=None, results_folder=None, **changes):
    return messages.notice(
        result(ending, **changes),
        to=("manager@mercy.org",),
        sender=SENDER,
        message_id="<1@dhhs.nc.gov>",
        report=report,
        results_folder=results_folder,
    )


def test_a_notice_of_success_gives_the_counts():
    told = notice(ended(rows=7, loaded=7, updated=1))

    assert told.subject == "Bulk Employee Upload - Success"
    assert told.text == (
        "Filename: staff.csv\n"
        "Number of Records In File: 7\n"
        "Successfully Loaded: 7 (of which 1 updated)\n"
        "Failed: 0\n"
        "\n"
        f"Upload: {ID}\n"
    )
    assert told.attachments == ()


def test_a_notice_of_rejected_rows_says_what_to_do_and_has_the_report():
    told = notice(
        ended(rows=7, loaded=5, rejected=2),
        sentences=["Enter a complete e-mail address in 2 rows."],
        report=b"\xef\xbb\xbfreport",
        results_folder=f"staff-{ID}",
    )

    assert told.subject == "Bulk Employee Upload - Failure"
    assert told.text == (
        "Filename: staff.csv\n"
        "Number of Records In File: 7\n"
        "Successfully Loaded: 5\n"
        "Failed: 2\n"
        "\n"
        "2 rows were not loaded. What to do:\n"
        "\n"
        "- Enter a complete e-mail address in 2 rows.\n"
        "\n"
        "BulkError.csv is attached: it holds what was not loaded, with the line in"
        " your\n"
        "file and what is wrong. Correct them there and drop that file; what was"
        " loaded\n"
        "need not be sent again.\n"
        "\n"
        f"Upload: {ID}\n"
        "\n"
        "This outcome and BulkError.csv lie in your folder\n"
        f"results/staff-{ID}, too.\n"
    )
    (attached,) = told.attachments
    assert attached.name == "BulkError.csv"
    assert attached.content_type == "text/csv; charset=utf-8"
    assert attached.data == b"\xef\xbb\xbfreport"


def test_a_notice_of_a_refusal_says_what_was_wrong_and_what_to_do():
    refusal = reasons.refusal(reasons.FILE_EMPTY)

    told = notice(ended(refusal=refusal))

    assert told.subject == "Bulk Employee Upload - Failure"
    assert "Number of Records In File: 0\n" in told.text
    assert "The file could not be taken, and none of its rows was loaded." in told.text
    assert refusal.message in told.text.replace("\n", " ")


def test_one_rejected_row_is_told_in_the_singular():
    ending = ended(rows=1, rejected=1)

    text = notice(ending, sentences=["Do it."], report=b"report").text

    assert "1 row was not loaded." in text
    assert "Correct it there" in text


IGNORED = [
    (["Phone"], "1 column was ignored, because the upload has no such column: Phone."),
    (
        ["Phone", ""],
        "2 columns were ignored, because the upload has no such columns:"
        " Phone, (no name).",
    ),
]


@pytest.mark.parametrize(("ignored", "sentence"), IGNORED)
def test_ignored_columns_are_named(ignored, sentence):
    text = notice(ended(rows=1, loaded=1), ignored_columns=ignored).text

    assert sentence in text.replace("\n", " ")


def test_a_million_ignored_columns_do_not_make_a_long_notice():
    ignored = ["x" * 1_000] * 1_000_000

    text = notice(ended(rows=1, loaded=1), ignored_columns=ignored).text

    assert "and 999,988 more" in text.replace("\n", " ")
    assert len(text) < 2_000


def test_a_receipt_says_the_same_and_where_the_report_is():
    ending = ended(rows=7, loaded=5, rejected=2)

    text = messages.receipt(result(ending, sentences=["Do it."]))

    assert text.startswith("Filename: staff.csv\nNumber of Records In File: 7\n")
    assert "BulkError.csv lies beside this receipt" in text
    assert "attached" not in text


HOSTILE = [
    "a.csv\nFailed: 0",  # a line of its own
    "a.csv\r\nBcc: e@vil.org",  # a header of its own
    "<script>alert(1)</script>.csv",  # mark-up
    '"><img src=x onerror=alert(1)>',  # mark-up out of an attribute
    "a\x00b\x1b[2J.csv",  # control characters
    "gpj.\u202evsc",  # turns the direction of what follows
    "\ud800.csv",  # half a surrogate pair
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_stays_one_harmless_line(name):
    told = notice(ended(rows=1, loaded=1), file_name=name)

    assert told.text.splitlines()[1] == "Number of Records In File: 1"
    assert "\u202e" not in told.text
    assert "<script>" not in told.html
    assert "<img" not in told.html
    told.text.encode("utf-8")


def test_an_invitation_gives_username_link_and_its_end():
    until = dt.datetime(
        2026, 1, 19, 17, 5, tzinfo=zoneinfo.ZoneInfo("America/New_York")
    )

    told = messages.invitation(
        to="ann@b.org",
        sender=SENDER,
        message_id="<2@dhhs.nc.gov>",
        username="ann@b.org.COVID19VACCINE",
        link="https://vaccines.example.org/set-password/abc&def",
        valid_until=until,
        name="Ann",
    )

    assert told.to == ("ann@b.org",)
    assert told.subject == (
        "Welcome to the North Carolina Vaccine Management COVID-19 Vaccine Portal"
    )
    assert told.text.startswith("Dear Ann,\n")
    assert "Your username: ann@b.org.COVID19VACCINE\n" in told.text
    assert "\nhttps://vaccines.example.org/set-password/abc&def\n" in told.text
    assert "valid until January 19, 2026, 5:05 PM EST." in told.text
    assert 'href="https://vaccines.example.org/set-password/abc&amp;def"' in told.html


def test_an_alert_leads_to_the_dagster_ui():
    told = messages.alert(
        to="data-ops@example.org",
        sender=SENDER,
        message_id="<3@dhhs.nc.gov>",
        subject="a run has failed",
        sentences=["The store is away."],
        link="http://127.0.0.1:3000/runs/1",
    )

    assert told.subject == "CVMS upload: a run has failed"
    assert "The store is away." in told.text
    assert "\nhttp://127.0.0.1:3000/runs/1\n" in told.text


def test_a_message_id_is_stable_and_tells_nothing():
    made = messages.message_id("invitation:ann@b.org", SENDER)

    assert made == messages.message_id("invitation:ann@b.org", SENDER)
    assert made != messages.message_id("invitation:bob@b.org", SENDER)
    assert made.endswith("@dhhs.nc.gov>")
    assert "ann" not in made


def test_a_message_shows_no_attachment_when_it_is_printed():
    told = notice(ended(rows=1, loaded=1), report=b"canary")

    assert "canary" not in repr(told)
