"""Providers are informed of refused invitations, once a day, and can correct them."""

import datetime as dt

import pytest
from installations import ANN, BOB

from cvms_pipeline.use_cases import deliver, history
from cvms_pipeline.use_cases.provider_actions import loaded_recipients

CY = "Cy,Lee,5/6/1992,cy@b.example.org"
REFUSED = "Bulk Employee Upload - E-mail Addresses Refused"


@pytest.fixture
def refusing(by_smtp, mailbox):
    """An installation at noon, whose mail server knows neither Ann, Bob nor Cy."""
    for name in ("ann", "bob", "cy"):
        mailbox.answers[f"{name}@b.example.org"] = "550 who is that?"
    zone = by_smtp.pipeline.zone
    now = by_smtp.clock().astimezone(zone)
    noon = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(12), zone)
    by_smtp.clock.ahead += noon - now
    return by_smtp


def invite(site, *rows, **where):
    """Load rows, and send their invitations; return the upload's id."""
    upload_id = site.receive(rows, **where)
    site.process(upload_id)
    deliver.send_invitations(site.pipeline, upload_id)
    return upload_id


def reports(mailbox):
    """Return to whom each report went, and the lines that it lists, in words."""
    return [
        (each["To"], " ".join(each.get_body(("plain",)).get_content().split()))
        for each in mailbox.received
        if each["Subject"] == REFUSED
    ]


def test_a_provider_is_informed_of_the_lines_that_were_refused(refusing, mailbox):
    first = invite(refusing, "Di,Lee,1/2/1990,di@b.example.org", ANN)
    second = invite(refusing, BOB)
    refusing.clock.forward(minutes=1)

    deliver.send_alerts(refusing.pipeline)

    ((to, text),) = reports(mailbox)
    reason = "the mail server knows no such mailbox, or accepts no mail for it (SMTP"
    assert to == "staff@mercy.example.org"
    assert f"- Line 3 of staff.csv (upload {first}): {reason} 550)" in text
    assert f"- Line 2 of staff.csv (upload {second}): {reason} 550)" in text
    assert "2 people were loaded, but could not be invited" in text


def test_nobody_is_informed_before_the_refusals_of_a_minute_are_gathered(
    refusing, mailbox
):
    invite(refusing, ANN)
    refusing.clock.forward(seconds=30)

    assert deliver.send_alerts(refusing.pipeline) == 0
    assert reports(mailbox) == []


def test_each_provider_is_informed_of_its_own_rows_only(refusing, mailbox):
    refusing.add_provider("duke")
    invite(refusing, ANN)
    invite(refusing, BOB, slug="duke")
    refusing.clock.forward(minutes=1)

    deliver.send_alerts(refusing.pipeline)

    assert sorted(to for to, _ in reports(mailbox)) == [
        "staff@duke.example.org",
        "staff@mercy.example.org",
    ]
    assert all("1 person was loaded" in text for _, text in reports(mailbox))


def test_what_is_refused_after_the_message_is_in_that_of_the_next_day(
    refusing, mailbox
):
    invite(refusing, ANN)
    refusing.clock.forward(minutes=1)
    deliver.send_alerts(refusing.pipeline)

    invite(refusing, BOB)
    refusing.clock.forward(hours=1)
    invite(refusing, CY)
    same_day = deliver.send_alerts(refusing.pipeline)
    refusing.clock.forward(hours=12)
    next_day = deliver.send_alerts(refusing.pipeline)

    assert (same_day, next_day) == (0, 1)
    assert len(reports(mailbox)) == 2
    assert "2 people were loaded" in reports(mailbox)[1][1]


def test_a_message_that_waits_for_tomorrow_is_no_backlog(refusing, mailbox):
    for row in (ANN, BOB):
        invite(refusing, row)
        refusing.clock.forward(minutes=1)
        deliver.send_alerts(refusing.pipeline)

    waiting = "SELECT count(*) FROM cvms.messages WHERE status = 'waiting'"
    assert refusing.column(waiting) == [1]
    due = deliver.wait_for_due(refusing.pipeline, seconds=0, pause_seconds=0)
    assert due == []


def test_the_sensor_finds_the_message_when_it_is_due(refusing):
    invite(refusing, ANN)
    refusing.clock.forward(minutes=1)

    due = deliver.wait_for_due(refusing.pipeline, seconds=0, pause_seconds=0)

    assert due == [deliver.Due(kind=deliver.Kind.REFUSED_ADDRESSES, upload_id=None)]


def test_sending_again_repeats_no_message(refusing, mailbox):
    invite(refusing, ANN)
    refusing.clock.forward(minutes=1)

    for _ in range(2):
        deliver.send_alerts(refusing.pipeline)
        refusing.clock.forward(days=1)

    assert len(reports(mailbox)) == 1


def test_a_corrected_address_gets_a_new_invitation(refusing, mailbox):
    earlier = invite(refusing, ANN)

    later = invite(refusing, ANN.replace("ann@b", "ann@c"))

    invited = [each["To"] for each in mailbox.received if "Welcome" in each["Subject"]]
    assert invited == ["ann@c.example.org"]
    for upload_id in (earlier, later):
        found = history.get_upload(refusing.pipeline, upload_id)
        assert history.list_refused_invitations(refusing.pipeline, found) == []


def test_the_refused_lines_of_an_upload_are_listed(refusing):
    upload_id = invite(refusing, "Di,Lee,1/2/1990,di@b.example.org", ANN)

    found = history.get_upload(refusing.pipeline, upload_id)

    assert history.list_refused_invitations(refusing.pipeline, found) == [
        history.RefusedInvitation(line=3, error="SMTP 550")
    ]


def test_a_correction_that_is_refused_is_listed_with_its_own_line(refusing, mailbox):
    invite(refusing, "Ann,Lee,1/2/1990,other@b.example.org")
    upload_id = invite(refusing, "Di,Lee,1/2/1990,di@b.example.org", ANN)
    refusing.clock.forward(minutes=1)

    deliver.send_alerts(refusing.pipeline)

    ((_, text),) = reports(mailbox)
    assert f"Line 3 of staff.csv (upload {upload_id})" in text


def test_a_refused_notice_is_not_reported(by_smtp, mailbox):
    mailbox.answers["staff@mercy.example.org"] = "550 who is that?"
    upload_id = by_smtp.bring([ANN])

    assert (
        by_smtp.column("SELECT kind FROM cvms.messages WHERE upload_id IS NULL") == []
    )
    assert deliver.send_notice(by_smtp.pipeline, upload_id).refused == 1


def test_nothing_personal_is_in_the_details_of_the_message(refusing):
    upload_id = invite(refusing, ANN)

    (details,) = refusing.column(
        "SELECT details FROM cvms.messages WHERE kind = 'refused-addresses'"
    )
    assert details == {
        "provider": "mercy",
        "refused": [{"upload": upload_id, "line": 2, "error": "SMTP 550"}],
    }


def test_receipt_and_notice_list_the_lines_that_corrected_an_address(by_smtp, mailbox):
    by_smtp.bring([ANN])
    mailbox.received.clear()

    upload_id = by_smtp.bring([BOB, ANN.replace("ann@b", "ann@c")])

    (notice,) = mailbox.received
    texts = [notice.get_body(("plain",)).get_content(), by_smtp.receipt(upload_id)]
    for text in texts:
        assert "- Line 3: the earlier address was a***@b***.org" in text
        assert "ann@b" not in text


def test_receipt_and_notice_list_possible_duplicates_of_the_provider_only(
    by_smtp, mailbox
):
    by_smtp.add_provider("duke")
    earlier = by_smtp.bring([ANN])
    by_smtp.bring([BOB], slug="duke")
    mailbox.received.clear()

    upload_id = by_smtp.bring(
        ["Lee,Ann,1/2/1990,x@b.example.org", "Lee,Bob,3/4/1991,y@b.example.org"]
    )

    (notice,) = mailbox.received
    found = history.get_upload(by_smtp.pipeline, upload_id)
    texts = [notice.get_body(("plain",)).get_content(), by_smtp.receipt(upload_id)]
    assert [each.is_own for each in found.possible_duplicates] == [True, False]
    for text in map(str.split, texts):
        words = " ".join(text)
        assert (
            "1 row was loaded, but is probably a person who is known already. If it is"
            " the same person, ask the help desk to remove one of the two. - Line 2:"
            f" the same birth date as line 2 of the upload {earlier}, first and last"
            " name swapped"
        ) in words
        assert "Line 3" not in words


def test_a_provider_finds_its_refused_addresses_over_all_uploads(refusing):
    earlier = invite(refusing, "Di,Lee,1/2/1990,di@b.example.org", ANN)

    (found,) = loaded_recipients.list_addresses_to_correct(
        refusing.pipeline, "mercy", limit=10
    )

    assert (found.upload_id, found.source_line) == (earlier, 3)
    assert (found.email, found.error) == ("ann@b.example.org", "SMTP 550")
    assert "ann@b" not in repr(found)
    others = loaded_recipients.list_addresses_to_correct(
        refusing.pipeline, "other", limit=10
    )
    assert others == []
