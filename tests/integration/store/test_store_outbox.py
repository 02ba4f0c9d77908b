import concurrent.futures
import contextlib
import dataclasses
import datetime as dt

import pytest
from upload_steps import NOW

from cvms_pipeline.database import engine
from cvms_pipeline.store import listing, outbox, retries

ANN = "Ann,Lee,1/2/1990,ann@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
Kind, Status = outbox.Kind, outbox.Status


LEASE = dt.timedelta(minutes=1)


def claim(desk, kind=Kind.ALERT, now=NOW, limit=10, upload_id=None):
    with desk.store.begin() as conn:
        return outbox.claim(
            conn, kind, now=now, lease=LEASE, limit=limit, upload_id=upload_id
        )


def statuses(desk):
    return desk.column("SELECT status FROM cvms.messages ORDER BY purpose")


def alert(desk, purpose="run-failed:1", **facts):
    with desk.store.begin() as conn:
        return outbox.queue_alert(conn, purpose, "ops@example.org", now=NOW, **facts)


def postpone(desk, attempts):
    """Let the only message fail after `attempts` failed attempts."""
    (due,) = claim(desk)
    with desk.store.begin() as conn:
        outbox.postpone(conn, dataclasses.replace(due, attempts=attempts), "Away", NOW)


def test_a_due_invitation_has_everything_that_its_text_needs(desk):
    desk.bring([ANN])

    (due,) = claim(desk, Kind.INVITATION)

    (recipient,) = desk.column("SELECT id FROM cvms.recipients")
    assert (due.kind, due.to, due.attempts) == (Kind.INVITATION, ("ann@b.org",), 0)
    assert due.username == "ann@b.org.COVID19VACCINE"
    assert (due.recipient_id, due.upload_id) == (str(recipient), "upload-1")
    assert due.purpose == f"invitation:{recipient}"


def test_a_due_notice_names_its_upload_and_no_person(desk):
    desk.bring([ANN])

    (due,) = claim(desk, Kind.NOTICE)

    assert (due.upload_id, due.to) == ("upload-1", ("staff@mercy.example.org",))
    assert (due.recipient_id, due.username) == (None, None)


def test_an_alert_keeps_its_details(desk):
    alert(desk, details={"run": "abc"})

    (due,) = claim(desk, Kind.ALERT)

    assert (due.purpose, due.details) == ("alert:run-failed:1", {"run": "abc"})


def test_an_alert_is_queued_once_a_purpose(desk):
    assert [alert(desk), alert(desk), alert(desk, "other")] == [True, False, True]


def test_messages_can_be_claimed_for_one_upload(desk):
    desk.bring([ANN])
    desk.bring(["Bob,Lee,1/2/1990,bob@b.org"])

    (due,) = claim(desk, Kind.INVITATION, upload_id="upload-2")

    assert (due.upload_id, due.to) == ("upload-2", ("bob@b.org",))


def test_a_claimed_message_belongs_to_its_sender_until_the_lease_is_over(desk):
    alert(desk)

    first = claim(desk)
    at_once = claim(desk)
    after = claim(desk, now=NOW + LEASE)

    assert len(first) == 1
    assert at_once == []
    assert after == first


def test_two_senders_at_once_claim_different_messages(desk):
    for number in range(6):
        alert(desk, f"number {number}")

    with desk.store.begin() as conn:
        held = outbox.claim(conn, Kind.ALERT, now=NOW, lease=LEASE, limit=3)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            others = pool.submit(claim, desk).result(timeout=60)

    assert len({due.id for due in [*held, *others]}) == 6


def test_messages_of_a_dead_sender_are_free_at_once(desk):
    alert(desk)

    with contextlib.suppress(ZeroDivisionError), desk.store.begin() as conn:
        outbox.claim(conn, Kind.ALERT, now=NOW, lease=LEASE, limit=1)
        raise ZeroDivisionError

    assert len(claim(desk)) == 1


def test_a_sent_message_is_never_due_again(desk):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        outbox.postpone(conn, due, "Late", NOW)

    (row,) = desk.table("SELECT * FROM cvms.messages").to_dict("records")
    assert (row["status"], row["sent_at"], row["attempts"]) == ("sent", NOW, 1)
    assert claim(desk, now=NOW + dt.timedelta(days=9)) == []


def test_a_failed_attempt_is_tried_again_when_its_time_has_come(desk):
    alert(desk)
    (due,) = claim(desk)
    later = NOW + dt.timedelta(seconds=15)

    with desk.store.begin() as conn:
        outbox.postpone(conn, due, "MailServerAway 421", NOW)

    assert claim(desk, now=later - dt.timedelta(seconds=1)) == []
    (again,) = claim(desk, now=later)
    assert (again.id, again.attempts) == (due.id, 1)
    assert again.purpose == due.purpose


def test_a_refused_message_is_never_tried_again(desk):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.mark_refused(conn, due.id, "SMTP 550")

    assert statuses(desk) == ["refused"]
    assert claim(desk, now=NOW + dt.timedelta(days=9)) == []


# How many attempts have failed before, and the seconds until the next one.
_WAITS = [(0, 15), (1, 22.5), (2, 33.75), (13, 2919.293), (14, 3600), (1000, 3600)]


@pytest.mark.parametrize(("attempts", "seconds"), _WAITS)
def test_each_wait_is_half_as_long_again_up_to_an_hour(desk, attempts, seconds):
    alert(desk)

    postpone(desk, attempts)

    (due_at,) = desk.column("SELECT next_attempt_at FROM cvms.messages")
    assert (due_at - NOW).total_seconds() == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize("attempts", [1, 2, 14, 15, 50])
def test_a_message_is_due_at_once_unless_it_was_tried_a_moment_ago(desk, attempts):
    alert(desk)
    postpone(desk, attempts - 1)
    desk.execute("UPDATE cvms.messages SET attempts = :number", number=attempts)

    def count_due(tried_before):
        with desk.store.begin() as conn:
            retries.retry_now(conn, "Away", now=NOW, tried_before=tried_before)
        return len(claim(desk))

    a_second = dt.timedelta(seconds=1)
    assert (count_due(NOW), count_due(NOW + a_second)) == (0, 1)


def test_a_message_that_was_not_begun_is_due_again_unless_another_has_claimed_it(desk):
    alert(desk)
    claimed = claim(desk)

    def release(leased_until):
        with desk.store.begin() as conn:
            outbox.release(conn, claimed, leased_until=leased_until, now=NOW)
        return len(claim(desk))

    assert release(NOW + LEASE + dt.timedelta(seconds=1)) == 0
    assert release(NOW + LEASE) == 1


def test_a_message_that_was_put_off_for_some_addresses_is_sent_to_these_only(desk):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.postpone(conn, due, "MailServerBusy", NOW, to=["b@b.org"])

    (again,) = claim(desk, now=NOW + dt.timedelta(minutes=1))
    assert again.to == ("b@b.org",)


def test_waits_begin_anew_when_the_mail_server_is_back(desk):
    alert(desk)
    postpone(desk, 12)
    desk.execute("UPDATE cvms.messages SET attempts = 13")

    with desk.store.begin() as conn:
        retries.retry_now(conn, "Away", now=NOW, tried_before=NOW + LEASE)

    (due,) = claim(desk)
    assert due.attempts == 0


# Until when a message waits, and whether that is from a clock that was set back.
_AHEAD = [(dt.timedelta(hours=1), 0), (dt.timedelta(hours=1, seconds=1), 1)]


@pytest.mark.parametrize(("ahead", "is_due"), _AHEAD)
def test_a_message_that_waits_longer_than_any_wait_is_due(desk, ahead, is_due):
    alert(desk)
    desk.execute("UPDATE cvms.messages SET next_attempt_at = :at", at=NOW + ahead)

    with desk.store.begin() as conn:
        retries.correct_future(conn, NOW)

    assert len(claim(desk)) == is_due


# Texts that may hold personal data, and what is kept of them.
_ERRORS = [
    ("SMTP 550", "SMTP 550"),
    ("<ann@b.org>: no such user", "unknown"),  # an address
    ("", "unknown"),  # nothing
    ("x" * 81, "unknown"),  # a whole text
]


@pytest.mark.parametrize(("error", "kept"), _ERRORS)
def test_only_the_kind_of_an_error_is_kept(desk, error, kept):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.postpone(conn, due, error, NOW)

    assert desk.column("SELECT last_error FROM cvms.messages") == [kept]


def test_the_database_refuses_an_address_as_an_error(desk):
    alert(desk)

    with pytest.raises(engine.StoreError) as raised:
        desk.execute("UPDATE cvms.messages SET last_error = 'to ann@b.org'")

    assert raised.value.constraint == "ck_messages_last_error"


def test_an_invitation_to_a_corrected_address_is_withdrawn(desk):
    desk.bring([ANN])
    desk.bring([ANN_CORRECTED])

    due = claim(desk, Kind.INVITATION)

    assert [each.to for each in due] == [("ann@new.org",)]
    assert sorted(statuses(desk)) == ["waiting", "waiting", "waiting", "withdrawn"]


def test_withdrawn_invitations_do_not_hide_those_behind_them(desk):
    desk.bring([ANN, "Bob,Lee,1/2/1990,bob@b.org"])
    desk.bring([ANN_CORRECTED])

    claimed = [claim(desk, Kind.INVITATION, limit=1) for _ in range(3)]

    assert sorted(due.to for batch in claimed for due in batch) == [
        ("ann@new.org",),
        ("bob@b.org",),
    ]


def test_who_was_removed_is_not_invited(desk):
    desk.bring([ANN])
    desk.remove("Ann")

    assert claim(desk, Kind.INVITATION) == []


def test_waiting_messages_are_found_by_kind_and_upload(desk):
    desk.bring([ANN])
    desk.bring(["Bob,Lee,1/2/1990,bob"])
    alert(desk)

    with desk.store.begin() as conn:
        found = listing.find_due(conn, NOW)
        before = listing.find_due(conn, NOW - dt.timedelta(seconds=1))

    assert found == {
        Kind.NOTICE: ["upload-1", "upload-2"],
        Kind.INVITATION: ["upload-1"],
        Kind.ALERT: [None],
        Kind.REFUSED_ADDRESSES: [],
        Kind.ACCOUNT: [],
        Kind.DELAY: [],
        Kind.CASE: [],
        Kind.RECIPIENT: [],
    }
    assert not any(before.values())


def test_an_upload_s_messages_are_counted_by_status(desk):
    desk.bring([ANN, "Bob,Lee,1/2/1990,bob@b.org"])
    (due,) = claim(desk, Kind.INVITATION, limit=1)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        counts = listing.count_messages(conn, "upload-1", Kind.INVITATION)

    assert counts == {Status.SENT: 1, Status.WAITING: 1}


def test_listed_messages_show_no_whole_address(desk):
    desk.bring([ANN])

    with desk.store.begin() as conn:
        listed = listing.list_messages(conn)

    assert {each.to for each in listed} == {("a***@b***.org",), ("s***@m***.org",)}


def test_messages_are_listed_for_one_upload_or_only_the_unsent(desk):
    desk.bring([ANN])
    alert(desk)
    (due,) = claim(desk, Kind.ALERT)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        of_upload = listing.list_messages(conn, upload_id="upload-1")
        unsent = listing.list_messages(conn, statuses=[Status.WAITING])
        every = listing.list_messages(conn)

    assert {each.kind for each in of_upload} == {Kind.NOTICE, Kind.INVITATION}
    assert {each.status for each in unsent} == {Status.WAITING}
    assert len(every) == 3


# Addresses and how they are shown.
_MASKED = [
    ("ann@example.org", "a***@e***.org"),
    ("ann@mail.example.org", "a***@m***.org"),  # of the domain only its ends
    ("ann@localhost", "a***@***localhost"),  # no dot
    ("", "***@***"),  # nothing
]


@pytest.mark.parametrize(("address", "shown"), _MASKED)
def test_of_an_address_only_the_first_letters_are_listed(desk, address, shown):
    with desk.store.begin() as conn:
        outbox.queue_alert(conn, "run-failed:1", address, now=NOW)

        (listed,) = listing.list_messages(conn)

    assert listed.to == (shown,)
