"""What notices and receipts say."""

import datetime as dt
import zoneinfo

import pytest

from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.mail import notices

SENDER = "Vaccine Management System <nccvms@dhhs.nc.gov>"
ID = "20260105-101500-abcdefgh"


ZONE = zoneinfo.ZoneInfo("America/New_York")
RECEIVED = dt.datetime(2026, 1, 5, 10, 15, tzinfo=ZONE)
NEXT = (
    "Drop your next file into your folder low_volume if it has up to 100 records,\n"
    "or into high_volume if it has up to 5,000.\n"
)
WHO_AND_WHEN = (
    "Provider: Mercy Hospital\n"
    "Received: January 5, 2026, 10:15 AM EST\n"
    "Finished: January 5, 2026, 10:16 AM EST\n"
    f"Upload: {ID}\n"
)


def ended(*, rows=0, loaded=0, updated=0, rejected=0, refusal=None, refused_rows=None):
    codes = {reasons.EMAIL_INVALID: rejected} if rejected else {}
    return outcome.Outcome(
        rows=rows,
        loaded=loaded,
        updated=updated,
        rejected=rejected,
        reasons=codes,
        refusal=refusal,
        refused_rows=refused_rows,
    )


def result(ending, **changes):
    facts = {
        "upload_id": ID,
        "provider": "Mercy Hospital",
        "received_at": RECEIVED,
        "finished_at": RECEIVED + dt.timedelta(minutes=1),
        "file_name": "staff.csv",
        "counts": ending,
    }
    return notices.Result(**(facts | changes))


def notice(ending, *, report=None, results_folder=None, **changes):
    return notices.make_notice(
        result(ending, **changes),
        to=("manager@mercy.org",),
        sender=SENDER,
        message_id="<1@dhhs.nc.gov>",
        report=report,
        results_folder=results_folder,
    )


def test_a_notice_of_success_has_the_words_of_the_guide():
    message = notice(ended(rows=7, loaded=7, updated=1))

    assert message.subject == "Bulk Employee Upload - Success"
    assert message.text == (
        "The Bulk Employee upload file has been successfully loaded with no rejected\n"
        "records. Details of the file loaded are below:\n"
        "\n"
        "Filename: staff.csv\n"
        "Number of Records In File: 7\n"
        "Number of Records Successfully Loaded: 7 (of which 1 updated)\n"
        "Number of Records Failed: 0\n"
        f"{WHO_AND_WHEN}"
        "\n"
        "7 invitations are sent, one to each person who was loaded.\n"
        "\n"
        f"{NEXT}"
    )
    assert message.attachments == ()


def test_a_notice_of_rejected_rows_says_what_to_do_and_has_the_report():
    message = notice(
        ended(rows=7, loaded=5, rejected=2),
        sentences=["Enter a complete e-mail address in 2 rows."],
        report=b"\xef\xbb\xbfreport",
        results_folder=f"staff-{ID}",
    )

    assert message.subject == "Bulk Employee Upload - Failure"
    assert message.text == (
        "The Bulk Employee upload file has loaded with errors. Please review the\n"
        "attachment for the records that failed. Details of the file loaded are below:"
        "\n\n"
        "Filename: staff.csv\n"
        "Number of Records In File: 7\n"
        "Number of Records Successfully Loaded: 5\n"
        "Number of Records Failed: 2\n"
        f"{WHO_AND_WHEN}"
        "\n"
        "2 rows were not loaded. What to do:\n"
        "\n"
        "- Enter a complete e-mail address in 2 rows.\n"
        "\n"
        "BulkError.csv is attached: it contains what was not loaded, with the line in\n"
        "your file and what is wrong. Correct them there and drop that file into your\n"
        "folder low_volume; what was loaded does not have to be sent again.\n"
        "\n"
        "5 invitations are sent, one to each person who was loaded.\n"
        "\n"
        f"{NEXT}"
        "\n"
        "This outcome and BulkError.csv are in your folder\n"
        f"results/staff-{ID}, too. If you correct the file there and\n"
        "save it, it is taken in from there.\n"
    )
    (attached,) = message.attachments
    assert attached.name == "BulkError.csv"
    assert attached.content_type == "text/csv; charset=utf-8"
    assert attached.data == b"\xef\xbb\xbfreport"


# How many records a refused file has, as far as that is known, and what is said.
REFUSED_ROWS = [(101, "101"), (0, "0"), (None, "\N{EN DASH}")]


@pytest.mark.parametrize(("rows", "shown"), REFUSED_ROWS)
def test_a_notice_of_a_refusal_says_what_was_wrong_and_how_many_records_failed(
    rows, shown
):
    refusal = reasons.make_refusal(reasons.TOO_MANY_ROWS)

    message = notice(ended(refusal=refusal, refused_rows=rows))

    assert message.subject == "Bulk Employee Upload - Failure"
    assert message.text == (
        "The Bulk Employee upload file could not be loaded, and none of its records"
        " was\n"
        "loaded. Details of the file are below:\n"
        "\n"
        "Filename: staff.csv\n"
        f"Number of Records In File: {shown}\n"
        "Number of Records Successfully Loaded: 0\n"
        f"Number of Records Failed: {shown}\n"
        f"{WHO_AND_WHEN}"
        "\n"
        "The file has more rows than its folder takes. Up to 100 rows go into the\n"
        "low_volume folder, up to 5,000 into high_volume; split a larger file, each\n"
        "part with the header.\n"
        "\n"
        f"{NEXT}"
    )


def test_a_notice_of_rows_that_were_removed_since_speaks_of_no_attachment():
    text = notice(ended(rows=1, rejected=1), sentences=["Do it."]).text

    assert text.startswith(
        "The Bulk Employee upload file has loaded with errors. Details of the file\n"
        "loaded are below:\n"
    )


# How many rows were rejected, all as duplicates, and what is said about them.
DUPLICATES = [
    (
        1,
        "1 row was not loaded, because it is a duplicate: the same person with the"
        " same name and birth date was loaded before, or by an earlier row of this"
        " file. There is nothing to correct and nothing to send again. If an e-mail"
        " address must change, or if it is another person, ask the help desk."
        "\n\nBulkError.csv is attached: it shows it.",
    ),
    (
        2,
        "2 rows were not loaded, because they are duplicates: the same people with the"
        " same name and birth date were loaded before, or by an earlier row of this"
        " file. There is nothing to correct and nothing to send again. If an e-mail"
        " address must change, or if it is another person, ask the help desk."
        "\n\nBulkError.csv is attached: it shows which they are.",
    ),
]


@pytest.mark.parametrize(("rejected", "sentences"), DUPLICATES)
def test_nobody_is_told_to_correct_rows_that_are_all_duplicates(rejected, sentences):
    ending = outcome.Outcome(
        rows=rejected,
        loaded=0,
        updated=0,
        rejected=rejected,
        reasons={reasons.DUPLICATE_IN_FILE: 1, reasons.DUPLICATE_RECIPIENT: rejected},
    )

    text = notice(
        ending, sentences=["Remove it."], report=b"report", results_folder="staff"
    ).text

    paragraphs = [each.replace("\n", " ") for each in text.split("\n\n")]
    assert "\n\n".join(paragraphs[2:4]) == sentences
    assert paragraphs[-1].strip() == (
        "This outcome and BulkError.csv are in your folder results/staff, too."
    )
    assert "orrect them" not in text
    assert "Remove it." not in text


def test_one_invitation_is_counted_in_the_singular():
    text = notice(ended(rows=1, loaded=1)).text

    assert "\n1 invitation is sent, to the person who was loaded.\n" in text


def test_a_notice_to_an_unknown_provider_names_none():
    assert "Provider:" not in notice(ended(rows=1, loaded=1), provider=None).text


def test_one_rejected_row_is_described_in_the_singular():
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


def test_remarks_on_the_file_are_paragraphs_above_the_ignored_columns():
    text = notice(
        ended(rows=1, loaded=1), ignored_columns=["Phone"], remarks=["One.", "Two."]
    ).text

    assert f"{ID}\n\nOne.\n\nTwo.\n\n1 column was ignored" in text


def test_a_million_ignored_columns_do_not_make_a_long_notice():
    ignored = ["x" * 1_000] * 1_000_000

    text = notice(ended(rows=1, loaded=1), ignored_columns=ignored).text

    assert "and 999,988 more" in text.replace("\n", " ")
    assert len(text) < 2_000


# How many rows were rejected, and the folder that takes them.
FOLDERS = [(100, "low_volume"), (101, "high_volume")]


@pytest.mark.parametrize(("rejected", "folder"), FOLDERS)
def test_the_folder_for_the_corrected_report_is_the_one_that_takes_its_rows(
    rejected, folder
):
    ending = ended(rows=rejected, rejected=rejected)

    text = notice(ending, sentences=["Do it."], report=b"report").text

    drop = f"Correct them there and drop that file into your folder {folder};"
    assert drop in text.replace("\n", " ")


def test_the_receipt_says_that_the_report_can_be_saved_where_it_lies():
    ending = ended(rows=7, loaded=5, rejected=2)

    text = notices.make_receipt(result(ending, sentences=["Do it."]))

    assert (
        "Correct them there and save the file, which is then taken in, or drop that"
        " file into your folder low_volume; what was loaded does not have to be sent"
        " again."
    ) in text.replace("\n", " ")


# How many rows of the same file are in the system, and what is said about it.
EARLIER = [
    (0, f"dropped before, on January 5, 2026 as {ID}: none of its rows is in"),
    (1, f"loaded on January 5, 2026 as {ID}: 1 of its rows is in"),
    (60, f"loaded on January 5, 2026 as {ID}: 60 of its rows are in"),
    (4_000, f"loaded on January 5, 2026 as {ID}: 4,000 of its rows are in"),
]


@pytest.mark.parametrize(("rows", "what"), EARLIER)
def test_the_identical_file_again_is_said_first(rows, what):
    earlier = notices.EarlierUpload(upload_id=ID, day=dt.date(2026, 1, 5), rows=rows)
    ending = ended(rows=60, rejected=60)

    for text in (
        notice(ending, earlier=earlier).text,
        notices.make_receipt(result(ending, earlier=earlier)),
    ):
        first = text.partition("\n\n")[0].replace("\n", " ")
        assert first == f"The same file was {what} the system."


@pytest.mark.parametrize("may_be_cut", [True, False])
def test_a_file_that_may_have_been_cut_is_named_so(may_be_cut):
    ending = ended(rows=1, loaded=1)
    sentence = (
        "The last line of this file has no line break, so the file may have been cut:"
        " check that its last row is whole and that no rows are missing."
    )

    for text in (
        notice(ending, may_be_cut=may_be_cut).text,
        notices.make_receipt(result(ending, may_be_cut=may_be_cut)),
    ):
        assert (sentence in text.replace("\n", " ")) == may_be_cut


def test_a_receipt_says_the_same_and_where_the_report_is():
    ending = ended(rows=7, loaded=5, rejected=2)

    text = notices.make_receipt(result(ending, sentences=["Do it."]))

    assert text.startswith(
        "The Bulk Employee upload file has loaded with errors. Please review\n"
        "BulkError.csv for the records that failed. Details of the file loaded are\n"
        "below:\n\nFilename: staff.csv\nNumber of Records In File: 7\n"
    )
    assert "BulkError.csv is beside this receipt" in text
    assert "attached" not in text


HOSTILE = [
    "a.csv\nNumber of Records Failed: 0",  # a line of its own
    "a.csv\r\nBcc: e@vil.org",  # a header of its own
    "<script>alert(1)</script>.csv",  # mark-up
    '"><img src=x onerror=alert(1)>',  # mark-up out of an attribute
    "a\x00b\x1b[2J.csv",  # control characters
    "gpj.\u202evsc",  # turns the direction of what follows
    "\ud800.csv",  # half a surrogate pair
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_shown_as_one_harmless_line(name):
    message = notice(ended(rows=1, loaded=1), file_name=name)

    assert message.text.splitlines()[4] == "Number of Records In File: 1"
    assert "\u202e" not in message.text
    assert "<script>" not in message.html
    assert "<img" not in message.html
    message.text.encode("utf-8")


def test_a_message_shows_no_attachment_when_it_is_printed():
    message = notice(ended(rows=1, loaded=1), report=b"canary")

    assert "canary" not in repr(message)


def test_a_notice_shows_a_name_of_a_file_that_was_not_utf_8():
    message = notice(
        ended(rows=1, loaded=1), encoding="windows-1252", read_name="José Martínez"
    )

    assert (
        "The file is not in UTF-8; it was read as windows-1252. Please check the"
        " letters of a name that was loaded: José Martínez. If they are wrong, inform"
        ' the help desk, and save your files as "CSV UTF-8".'
    ) in message.text.replace("\n", " ")


def test_a_notice_without_such_a_name_does_not_mention_the_encoding():
    message = notice(ended(rows=1, loaded=1), encoding="windows-1252")

    assert "UTF-8" not in message.text
