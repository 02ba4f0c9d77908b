"""The words about rows that a provider should look at again."""

import pytest

from cvms_pipeline.domain.vocabulary.likeness import Likeness, PossibleDuplicate
from cvms_pipeline.mail import follow_up, mime


def body_of(add, *values):
    body = mime.Body()
    add(body, *values)
    return " ".join(body.as_text().split())


def like(line, likeness, *, upload=None, is_own=True):
    return PossibleDuplicate(
        line=line, likeness=likeness, upload=upload, other_line=2, is_own=is_own
    )


def refused(line, error="SMTP 550"):
    return follow_up.RefusedRow(
        upload_id="upload-1", file_name="staff.csv", line=line, error=error
    )


def test_a_corrected_address_is_listed_with_its_line_and_the_masked_earlier_one():
    assert body_of(follow_up.add_corrections, [(5, "a***@e***.org")]) == (
        "1 row has changed the e-mail address of a person loaded before. Check that it"
        " is the same person; if it is not, drop the row with the earlier address"
        " again. - Line 5: the earlier address was a***@e***.org"
    )


def test_several_corrected_addresses_are_listed_together():
    lines = [(5, "a***@e***.org"), (1007, "b***@e***.org")]

    assert body_of(follow_up.add_corrections, lines) == (
        "2 rows have changed the e-mail addresses of people loaded before. Check that"
        " it is the same person; if it is not, drop the row with the earlier address"
        " again. - Line 5: the earlier address was a***@e***.org"
        " - Line 1007: the earlier address was b***@e***.org"
    )


def test_without_corrections_nothing_is_said_of_them():
    assert body_of(follow_up.add_corrections, []) == ""


_LIKENESSES = [
    (
        Likeness.SWAPPED_NAMES,
        "the same birth date as line 2, first and last name swapped",
    ),
    (
        Likeness.OTHER_LAST_NAME,
        "the same first name, birth date and e-mail address as line 2, another last"
        " name",
    ),
    (
        Likeness.SWAPPED_DATE,
        "the same names and e-mail address as line 2, day and month of the birth date"
        " swapped",
    ),
]


@pytest.mark.parametrize(("likeness", "words"), _LIKENESSES)
def test_a_possible_duplicate_is_listed_with_what_it_has_in_common(likeness, words):
    assert body_of(follow_up.add_possible_duplicates, [like(3, likeness)]) == (
        "1 row was loaded, but is probably a person who is known already. If it is the"
        f" same person, ask the help desk to remove one of the two. - Line 3: {words}"
    )


def test_possible_duplicates_of_earlier_uploads_name_the_upload():
    found = [
        like(3, Likeness.SWAPPED_NAMES, upload="upload-1"),
        like(4, Likeness.SWAPPED_NAMES),
    ]

    assert body_of(follow_up.add_possible_duplicates, found) == (
        "2 rows were loaded, but are probably people who are known already. If it is"
        " the same person, ask the help desk to remove one of the two. - Line 3: the"
        " same birth date as line 2 of the upload upload-1, first and last name swapped"
        " - Line 4: the same birth date as line 2, first and last name swapped"
    )


def test_nothing_is_said_of_another_provider_s_people():
    found = [like(3, Likeness.SWAPPED_NAMES, upload="upload-1", is_own=False)]

    assert body_of(follow_up.add_possible_duplicates, found) == ""


def test_a_row_like_two_people_counts_once():
    found = [
        like(3, Likeness.SWAPPED_NAMES),
        like(3, Likeness.OTHER_LAST_NAME),
        like(4, Likeness.SWAPPED_NAMES, is_own=False),
    ]

    assert body_of(follow_up.add_possible_duplicates, found).startswith("1 row was")


def make_refused(*rows):
    return follow_up.make_refused_notice(
        rows, to=["staff@m.org"], sender="CVMS <c@m.org>", message_id="<1@m.org>"
    )


def test_a_refused_invitation_is_reported_with_line_upload_and_reason():
    message = make_refused(refused(12))

    assert message.subject == "Bulk Employee Upload - E-mail Addresses Refused"
    assert " ".join(message.text.split()) == (
        "1 person was loaded, but could not be invited, because the invitation was"
        " refused permanently: - Line 12 of staff.csv (upload upload-1): the mail"
        " server knows no such mailbox, or accepts no mail for it (SMTP 550)"
        " Correct the e-mail address, and drop a file with the corrected rows; the"
        " names and birth dates must stay the same. A new invitation is then sent to"
        " the corrected address. The other rows need not be sent again."
    )


def test_several_refused_invitations_are_counted():
    message = make_refused(refused(12), refused(13))

    assert " ".join(message.text.split()).startswith(
        "2 people were loaded, but could not be invited, because the invitations were"
        " refused permanently: - Line 12 of"
    )


_MEANINGS = [
    ("SMTP 551", "the mailbox is on another mail server (SMTP 551)"),
    ("SMTP 552", "the mailbox is full (SMTP 552)"),
    (
        "SMTP 553",
        "the mail server does not accept the address as it is written (SMTP 553)",
    ),
    ("SMTP 554", "the mail server does not accept this mail (SMTP 554)"),
    ("SMTP 556", "the domain after the @ accepts no mail (SMTP 556)"),
    ("SMTP 571", "the mail server does not accept the mail (SMTP 571)"),
]


@pytest.mark.parametrize(("error", "meaning"), _MEANINGS)
def test_each_code_of_a_mail_server_is_explained(error, meaning):
    text = " ".join(make_refused(refused(12, error)).text.split())

    assert f"(upload upload-1): {meaning} Correct" in text
