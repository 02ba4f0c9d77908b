import concurrent.futures
import contextlib
import datetime as dt

import pytest
from desks import NOW

from cvms_pipeline.store import engine, listing, outbox, tally

ANN = "Ann,Lee,1/2/1990,ann@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
Kind, Status = outbox.Kind, outbox.Status


def claim(desk, *kinds, now=NOW, limit=10, upload_id=None):
    with desk.store.begin() as conn:
        return outbox.due(
            conn, kinds=kinds or list(Kind), now=now, limit=limit, upload_id=upload_id
        )


def statuses(desk):
    return desk.column("SELECT status FROM cvms.messages ORDER BY purpose")


def alert(desk, purpose="run-failed:1", **facts):
    with desk.store.begin() as conn:
        return outbox.queue_alert(conn, purpose, "ops@example.org", now=NOW, **facts)


def test_a_due_invitation_has_all_it_takes_to_write_it(desk):
    desk.bring([ANN])

    (due,) = claim(desk, Kind.INVITATION)

    (recipient,) = desk.column("SELECT id FROM cvms.recipients")
    assert (due.kind, due.to, due.attempts) == (Kind.INVITATION, ("ann@b.org",), 0)
    assert (due.username, due.email) == ("ann@b.org.COVID19VACCINE", "ann@b.org")
    assert (due.recipient_id, due.upload_id) == (str(recipient), "upload-1")
    assert due.purpose == f"invitation:{recipient}"
    assert due.message_id == f"<{due.id}@cvms>"


def test_a_due_notice_names_its_upload_and_nobody(desk):
    desk.bring([ANN])

    (due,) = claim(desk, Kind.NOTICE)

    assert (due.upload_id, due.to) == ("upload-1", ("staff@mercy.example.org",))
    assert (due.recipient_id, due.username, due.email) == (None, None, None)


def test_an_alert_keeps_what_it_is_about(desk):
    alert(desk, details={"run": "abc"})

    (due,) = claim(desk, Kind.ALERT)

    assert (due.purpose, due.details) == ("alert:run-failed:1", {"run": "abc"})


def test_an_alert_is_queued_once_a_purpose(desk):
    assert [alert(desk), alert(desk), alert(desk, "other")] == [True, False, True]


def test_messages_can_be_claimed_for_one_upload(desk):
    desk.bring([ANN])
    desk.bring(["Bob,Lee,1/2/1990,bob@b.org"])

    claimed = claim(desk, upload_id="upload-2")

    assert {due.upload_id for due in claimed} == {"upload-2"}
    assert {due.kind for due in claimed} == {Kind.NOTICE, Kind.INVITATION}


def test_a_claimed_message_belongs_to_its_sender_until_the_lease_is_over(desk):
    alert(desk)

    first = claim(desk)
    at_once = claim(desk)
    after = claim(desk, now=NOW + outbox.LEASE)

    assert len(first) == 1
    assert at_once == []
    assert after == first


def test_two_senders_at_once_claim_different_messages(desk):
    for number in range(6):
        alert(desk, f"number {number}")

    with desk.store.begin() as conn:
        held = outbox.due(conn, kinds=[Kind.ALERT], now=NOW, limit=3)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            others = pool.submit(claim, desk).result(timeout=60)

    assert len({due.id for due in [*held, *others]}) == 6


def test_what_a_dying_sender_had_claimed_is_free_at_once(desk):
    alert(desk)

    with contextlib.suppress(ZeroDivisionError), desk.store.begin() as conn:
        outbox.due(conn, kinds=[Kind.ALERT], now=NOW, limit=1)
        raise ZeroDivisionError

    assert len(claim(desk)) == 1


def test_a_sent_message_is_never_due_again(desk):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        outbox.mark_attempt(conn, due.id, "Late", NOW)

    (row,) = desk.table("SELECT * FROM cvms.messages").to_dict("records")
    assert (row["status"], row["sent_at"], row["attempts"]) == ("sent", NOW, 1)
    assert claim(desk, now=NOW + dt.timedelta(days=9)) == []


def test_a_failed_attempt_is_tried_again_when_its_time_has_come(desk):
    alert(desk)
    (due,) = claim(desk)
    later = outbox.retry_at(due.attempts, NOW)

    with desk.store.begin() as conn:
        outbox.mark_attempt(conn, due.id, "MailServerAway 421", later)

    assert claim(desk, now=later - dt.timedelta(seconds=1)) == []
    (again,) = claim(desk, now=later)
    assert (again.id, again.attempts) == (due.id, 1)
    assert again.message_id == due.message_id


def test_a_refused_message_is_never_tried_again(desk):
    alert(desk)
    (due,) = claim(desk)

    with desk.store.begin() as conn:
        outbox.mark_refused(conn, due.id, "SMTP 550")

    assert statuses(desk) == ["refused"]
    assert claim(desk, now=NOW + dt.timedelta(days=9)) == []


def test_the_wait_doubles_up_to_an_hour():
    waits = [outbox.retry_at(n, NOW) - NOW for n in (0, 1, 2, 7, 8, 1000)]

    assert [wait.total_seconds() / 60 for wait in waits] == [0.25, 0.5, 1, 32, 60, 60]


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
        outbox.mark_attempt(conn, due.id, error, NOW)

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
    desk.execute("UPDATE cvms.recipients SET removed_at = now()")

    assert claim(desk, Kind.INVITATION) == []


def test_what_is_waiting_is_known_by_kind_and_upload(desk):
    desk.bring([ANN])
    desk.bring(["Bob,Lee,1/2/1990,bob"])
    alert(desk)

    with desk.store.begin() as conn:
        found = outbox.waiting(conn, NOW)
        before = outbox.waiting(conn, NOW - dt.timedelta(seconds=1))

    assert found == {
        Kind.NOTICE: ["upload-1", "upload-2"],
        Kind.INVITATION: ["upload-1"],
        Kind.ALERT: [None],
    }
    assert not any(before.values())


def test_an_upload_s_messages_are_counted_by_status(desk):
    desk.bring([ANN, "Bob,Lee,1/2/1990,bob@b.org"])
    (due,) = claim(desk, Kind.INVITATION, limit=1)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        counts = tally.messages(conn, "upload-1", [Kind.INVITATION])

    assert counts == {Status.SENT: 1, Status.WAITING: 1}


def test_listed_messages_show_no_whole_address(desk):
    desk.bring([ANN])

    with desk.store.begin() as conn:
        listed = listing.messages(conn)

    assert {each.to for each in listed} == {("a***@b***.org",), ("s***@m***.org",)}


def test_messages_are_listed_for_one_upload_or_only_the_unsent(desk):
    desk.bring([ANN])
    alert(desk)
    (due,) = claim(desk, Kind.ALERT)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [due.id], NOW)
        of_upload = listing.messages(conn, upload_id="upload-1")
        unsent = listing.messages(conn, statuses=[Status.WAITING])
        every = listing.messages(conn)

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
def test_an_address_is_shown_by_its_beginnings(address, shown):
    assert listing.mask(address) == shown
