"""A recipient is removed: asked by one account, approved by another, and for good."""

import concurrent.futures
import contextlib
import datetime as dt
import random
import time

import pytest
from upload_steps import ANN, BAD, BOB, NOW, OWNER, STAFF, is_blocked

from cvms_pipeline.database import engine
from cvms_pipeline.store import audit, loading, outbox, refusals, search, uploads
from cvms_pipeline.store.chain import withdrawals
from cvms_pipeline.store.provider_reads import loaded_recipients, recipient
from cvms_pipeline.store.removals import erasing, removing, requests

ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
LATER = NOW + dt.timedelta(minutes=1)
LEASE = dt.timedelta(seconds=40)
INVITATION = outbox.Kind.INVITATION


def person(desk, name="Ann"):
    """Return the id of somebody who was not removed."""
    with desk.store.begin() as conn:
        found = search.search_recipients(conn, [name]).recipients
    return str(found.loc[0, "recipient_id"])


def ask(desk, name="Ann", case_number=1001):
    recipient_id = person(desk, name)
    with desk.store.begin() as conn:
        requests.ask(conn, case_number, recipient_id, asked_by=STAFF, now=NOW)
    return recipient_id


def approve(desk, case_number=1001, **facts):
    with desk.store.begin() as conn:
        removing.remove(
            conn, case_number, **{"approved_by": OWNER, "now": LATER, **facts}
        )


def withdraw(desk, upload_id):
    with desk.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why="the wrong file", now=LATER)


def claim(desk, **which):
    facts = {"now": LATER, "lease": LEASE, "limit": 20, **which}
    with desk.store.begin() as conn:
        return outbox.claim(conn, INVITATION, **facts)


def get(desk, upload_id):
    with desk.store.begin() as conn:
        return uploads.get(conn, upload_id)


def statuses(desk):
    return desk.column("SELECT status FROM cvms.messages WHERE kind = 'invitation'")


def counted(desk, slug="mercy"):
    return desk.column(
        f"SELECT recipients FROM cvms.providers WHERE slug = '{slug}'"  # noqa: S608 # above
    )[0]


def test_who_was_removed_is_not_found_invited_or_counted_and_the_record_stays(desk):
    desk.bring([ANN, BOB, BAD])

    recipient_id = desk.remove("Ann")

    with desk.store.begin() as conn:
        assert search.search_recipients(conn, ["ann"]).total == 0
        assert search.search_recipients(conn, ["ann@b.org"]).total == 0
        assert search.search_recipients(conn).recipients["first_name"].tolist() == [
            "Bob"
        ]
        wanted = loaded_recipients.Wanted(provider="mercy", after=recipient_id)
        page = loaded_recipients.read_page(conn, wanted)
        assert [each.first_name for each in page.recipients] == ["Bob"]
        assert (page.total, page.has_earlier) == (1, False)
        with pytest.raises(recipient.RecipientUnknown):
            recipient.get(conn, recipient_id, provider="mercy")
        loaded = uploads.get(conn, "upload-1")
        assert loading.count_accounted_lines(conn, loaded) == loaded.rows == 3
    assert [each.to for each in claim(desk)] == [("bob@b.org",)]
    assert sorted(statuses(desk)) == ["waiting", "withdrawn"]
    kept = desk.table(
        "SELECT CAST(id AS text), first_name, email, removed_at FROM cvms.recipients"
        " WHERE removed_at IS NOT NULL"
    )
    assert kept.values.tolist() == [[recipient_id, "Ann", "ann@b.org", LATER]]


def test_a_removed_person_is_loaded_again_as_new(desk):
    desk.bring([ANN, BOB.replace("bob@", "ann@")])
    desk.remove("Ann")

    swapped = desk.bring(["Lee,Ann,1/2/1990,x@b.org"], "duke")
    ended = desk.bring([ANN_CORRECTED], "duke")

    # Neither a duplicate nor a correction; nobody resembles who is not there.
    assert list(swapped.possible_duplicates) == []
    assert (ended.loaded, ended.updated) == (1, 0)
    assert (counted(desk), counted(desk, "duke")) == (1, 2)
    names = desk.column("SELECT username FROM cvms.recipients WHERE removed_at IS NULL")
    assert sorted(names) == [
        "ann@b.org.2.COVID19VACCINE",
        "ann@new.org.COVID19VACCINE",
        "x@b.org.COVID19VACCINE",
    ]


def test_the_username_is_free_again(desk):
    desk.bring([ANN])
    desk.remove("Ann")

    desk.bring(["Zoe,Moe,1/2/1990,ann@b.org"])

    names = desk.column("SELECT username FROM cvms.recipients WHERE removed_at IS NULL")
    assert names == ["ann@b.org.COVID19VACCINE"]


def test_an_upload_that_is_run_again_or_recovers_brings_nobody_back(desk):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN, BAD])
    desk.load(upload_id, planned)
    desk.remove("Ann")
    before = desk.everything()

    for is_failed in (False, True):
        if is_failed:
            with desk.store.begin() as conn:
                uploads.mark_failed(conn, upload_id, now=LATER)
        ended = desk.load(upload_id, desk.decide(upload_id, [ANN, BAD]))
        assert (ended.loaded, ended.rejected) == (1, 1)

    assert desk.everything() == before
    assert (counted(desk), claim(desk)) == (0, [])


def test_the_account_that_has_asked_cannot_approve_not_even_in_the_database(desk):
    desk.bring([ANN])
    recipient_id = ask(desk)

    with pytest.raises(removing.SameAccount):
        approve(desk, approved_by=STAFF)

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(
            "UPDATE cvms.removals SET approved_by = asked_by, approved_at = now()"
        )
    assert raised.value.constraint == "ck_removals_two_people"
    assert person(desk) == recipient_id


# What the database refuses, whatever the statement comes from.
REFUSED = [
    # without an approval
    ("UPDATE cvms.recipients SET removed_at = now() WHERE first_name = 'Bob'",
     "recipients_removed"),
    # half: with the match key
    ("UPDATE cvms.recipients SET removed_at = '2026-03-01T12:01Z'"
     " WHERE first_name = 'Cy'", "recipients_removed"),
    # back again
    ("UPDATE cvms.recipients SET removed_at = NULL, first_key = 'ann',"
     " last_key = 'lee', username = 'a' WHERE first_name = 'Ann'",
     "recipients_removed"),
    ("UPDATE cvms.recipients SET email = 'a@b.org' WHERE first_name = 'Ann'",
     "recipients_removed"),
    ("DELETE FROM cvms.recipients WHERE first_name = 'Ann'", "recipients_removed"),
    ("DELETE FROM cvms.removals WHERE approved_by IS NOT NULL", "removals_approved"),
    ("UPDATE cvms.removals SET approved_at = now() WHERE case_number = 1001",
     "removals_approved"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "constraint"), REFUSED)
def test_the_database_removes_nobody_half_or_without_approval_or_for_a_while(
    desk, statement, constraint
):
    desk.bring([ANN, BOB, "Cy,Lee,1/2/1990,cy@b.org"])
    ask(desk)
    approve(desk)
    ask(desk, "Cy", case_number=1002)
    before = desk.everything()

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(statement)

    assert raised.value.constraint == constraint
    assert desk.everything() == before


def test_a_case_asks_for_one_person_and_may_change_its_mind_until_approval(desk):
    desk.bring([ANN, BOB])
    ask(desk, "Ann")
    ask(desk, "Bob")
    with pytest.raises(requests.AskedAlready) as raised:
        ask(desk, "Bob", case_number=1002)
    assert raised.value.case_number == 1001
    ask(desk, "Ann", case_number=1002)
    with desk.store.begin() as conn:
        requests.drop(conn, 1002)
        assert requests.find(conn, 1002) is None

    approve(desk)

    with desk.store.begin() as conn:
        assert search.search_recipients(conn, ["Bob"]).total == 0
        (done,) = requests.list_done(conn)
    assert (done.case_number, done.asked_by, done.approved_by) == (1001, STAFF, OWNER)
    assert done.approved_at == LATER
    with pytest.raises(requests.NothingAsked):
        approve(desk)
    with pytest.raises(requests.RemovedAlready):
        ask(desk, "Ann")
    with desk.store.begin() as conn, pytest.raises(requests.RecipientUnknown):
        requests.ask(conn, 1003, done.recipient_id, asked_by=STAFF, now=NOW)


def test_the_audit_has_ids_and_nothing_else(desk):
    desk.bring([ANN])
    recipient_id = ask(desk)
    with desk.store.begin() as conn:
        requests.drop(conn, 1001)
    ask(desk)
    approve(desk)
    with desk.store.begin() as conn:
        erasing.erase(conn, recipient_id, now=LATER)

        entries = audit.list_entries(conn, provider="mercy", limit=5)

    assert [entry.event for entry in entries] == [
        "recipient-erased", "recipient-removed", "removal-asked", "removal-dropped",
        "removal-asked",
    ]  # fmt: skip
    assert {entry.upload_id for entry in entries} == {"upload-1"}
    facts = {"case": 1001, "recipient": recipient_id}
    assert all(entry.details == facts for entry in entries)


def test_a_refused_invitation_is_not_sent_again_or_told_of(desk):
    desk.bring([ANN, BOB])
    desk.bring(["Zoe,Moe,1/2/1990,zoe@b.org"], "duke")
    refused = claim(desk)
    for message in refused:
        with desk.store.begin() as conn:
            facts = {"now": LATER, "zone": dt.UTC}
            refusals.mark_refused(conn, message, "SMTP 550", **facts)

    desk.remove("Ann")
    desk.remove("Zoe", case_number=1002)

    with desk.store.begin() as conn:
        for message in refused:
            with contextlib.suppress(outbox.NotRefused):
                outbox.resend(
                    conn, [message.id], now=LATER, data_ops="ops@b.org", help_desk=None
                )
    # Of Bob's the provider is told, and his alone is sent again.
    told = desk.table(
        "SELECT status, coalesce(details -> 'refused' -> 0 ->> 'line', '') AS line,"
        " jsonb_array_length(details -> 'refused') AS lines FROM cvms.messages"
        " WHERE kind = 'refused-addresses' ORDER BY status"
    )
    assert told.values.tolist() == [["waiting", "3", 1], ["withdrawn", "", 0]]
    assert sorted(statuses(desk)) == ["waiting", "withdrawn", "withdrawn"]


def test_an_invitation_that_is_being_sent_counts_as_sent_or_ends(desk):
    desk.bring([ANN, BOB])
    ann, bob = sorted(claim(desk), key=lambda each: each.to)
    desk.remove("Ann")
    desk.remove("Bob", case_number=1002)

    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [ann.id], LATER)
        outbox.postpone(conn, bob, "MailServerBusy", LATER)

    assert sorted(statuses(desk)) == ["sent", "withdrawn"]
    assert claim(desk, now=LATER + dt.timedelta(hours=2)) == []


def test_an_upload_is_withdrawn_without_those_who_were_removed(desk):
    upload_id = desk.bring_id([ANN, BOB, BAD])
    recipient_id = desk.remove("Ann")

    withdraw(desk, upload_id)

    assert desk.column("SELECT CAST(id AS text) FROM cvms.recipients") == [recipient_id]
    assert (counted(desk), claim(desk)) == (0, [])
    found = get(desk, upload_id)
    with desk.store.begin() as conn:
        assert loading.count_accounted_lines(conn, found) == 3
        (entry,) = audit.list_entries(conn, upload_id=upload_id, limit=1)
    assert entry.details == {"taken_out": 1, "undone": 0}


def test_withdrawing_a_correction_brings_back_nobody_who_was_removed(desk):
    desk.bring([ANN])
    claim(desk)
    upload_id = desk.bring_id([ANN_CORRECTED, BOB])
    desk.remove("Ann")
    before = desk.table("SELECT * FROM cvms.recipients WHERE removed_at IS NOT NULL")

    withdraw(desk, upload_id)

    after = desk.table("SELECT * FROM cvms.recipients")
    assert after.to_csv() == before.to_csv()
    assert claim(desk, now=LATER + dt.timedelta(hours=2)) == []
    with desk.store.begin() as conn:
        found = uploads.get(conn, upload_id)
        assert loading.count_accounted_lines(conn, found) == 2


def test_rows_of_the_chain_stay_settled(desk):
    first = desk.bring_id(["Ann#,Lee,1/2/1990,ann@b.org", BAD])
    child = desk.bring_id([ANN, BAD.replace(",,", ",Lee,")])
    twin = desk.bring_id([ANN], "duke")
    assert get(desk, child).parents == (first,)
    desk.remove("Ann")

    withdraw(desk, child)

    # Only the row of the other person is to be sent again.
    outstanding = desk.table(
        "SELECT upload_id, line FROM cvms.rejected_rows WHERE is_outstanding"
    )
    assert outstanding.values.tolist() == [[first, 3]]
    assert [get(desk, each).outstanding for each in (first, child, twin)] == [1, 0, 0]


def test_a_person_who_is_taken_out_by_withdrawal_needs_no_removal_any_more(desk):
    upload_id = desk.bring_id([ANN])
    ask(desk)

    withdraw(desk, upload_id)

    with pytest.raises(requests.NothingAsked):
        approve(desk)
    assert desk.column("SELECT count(*) FROM cvms.recipients") == [0]


def test_everything_that_held_the_person_is_erased_and_nothing_else(desk):
    wrong = desk.bring_id(["Ann#,Lee,1/2/1990,ann@b.org", BAD])
    loaded = desk.bring_id([ANN, " ann ,LEE,1/2/1990,two@old.org", BOB])
    desk.bring([ANN_CORRECTED])
    desk.bring(["Ann,Lee,1/2/1990,three@old.org", BOB, BAD], "duke")
    recipient_id = desk.remove("Ann")
    before = desk.table("SELECT * FROM cvms.rejected_rows ORDER BY 1, 2")
    others = before[before["first_name"].isin(["Bob", "Cy"])]

    with desk.store.begin() as conn:
        erased = erasing.erase(conn, recipient_id, now=LATER)

    assert erased == [wrong, loaded, "upload-4"]
    every = "".join(desk.everything().values())
    for word in ("ann@", "@old.org", "@new.org", "Ann", "ann ,"):
        assert word.lower() not in every.lower()
    rows = desk.table("SELECT * FROM cvms.rejected_rows ORDER BY 1, 2")
    assert rows["codes"].tolist() == before["codes"].tolist()
    kept = rows[rows["first_name"] != ""]
    assert kept.to_csv() == others.to_csv()
    for upload_id in ("upload-1", "upload-2", "upload-3", "upload-4"):
        with desk.store.begin() as conn:
            found = uploads.get(conn, upload_id)
            assert loading.count_accounted_lines(conn, found) == found.rows
    with desk.store.begin() as conn:
        assert erasing.erase(conn, recipient_id, now=LATER) is None


def test_only_removed_people_are_erased_and_the_oldest_first(desk):
    desk.bring([ANN, BOB])
    recipient_id = ask(desk)
    with desk.store.begin() as conn:
        assert erasing.erase(conn, recipient_id, now=LATER) is None
    approve(desk)
    later = LATER + dt.timedelta(seconds=1)
    other = desk.remove("Bob", case_number=1002, now=later)

    with desk.store.begin() as conn:
        assert erasing.list_due(conn, before=LATER) == []
        assert erasing.list_due(conn, before=later) == [recipient_id]
        erasing.erase(conn, recipient_id, now=later)
        after = later + dt.timedelta(days=1)
        assert erasing.list_due(conn, before=after) == [other]


# The rows of an upload that is loaded while Ann is removed.
MEANWHILE = [[ANN], [ANN_CORRECTED], [ANN, BOB]]


@pytest.mark.parametrize("rows", MEANWHILE)
@pytest.mark.parametrize("slug", ["mercy", "duke"])
def test_an_upload_that_meets_a_removal_loads_the_person_as_new(desk, rows, slug):
    desk.bring([ANN])
    ask(desk)
    later = desk.receive(slug)
    planned = desk.decide(later, rows, slug)

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        removing.remove(conn, 1001, approved_by=OWNER, now=LATER)
        running = pool.submit(desk.load, later, planned)
        assert is_blocked(desk, running)
        conn.commit()
        ended = running.result(60)

    assert (ended.loaded, ended.updated) == (len(rows), 0)
    assert counted(desk, slug) == len(rows)


@pytest.mark.parametrize("rows", [[ANN_CORRECTED], [ANN]])
def test_a_removal_that_meets_an_upload_waits_and_removes_what_is_then(desk, rows):
    desk.bring([ANN])
    ask(desk)
    later = desk.receive()
    planned = desk.decide(later, rows)

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        locked = uploads.lock(conn, later)
        loading.load(conn, locked, planned, now=NOW, data_ops="ops@b.org")
        running = pool.submit(approve, desk)
        assert is_blocked(desk, running)
        conn.commit()
        assert running.exception(60) is None

    assert set(statuses(desk)) == {"withdrawn"}
    assert (counted(desk), claim(desk)) == (0, [])


def test_a_removal_and_a_withdrawal_wait_for_each_other(desk):
    upload_id = desk.bring_id([ANN, BOB])
    ask(desk)

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why="no", now=LATER)
        running = pool.submit(approve, desk)
        assert is_blocked(desk, running)
        conn.commit()
        error = running.exception(60)

    assert isinstance(error, requests.NothingAsked)
    assert desk.column("SELECT count(*) FROM cvms.recipients") == [0]


def test_a_sender_and_a_removal_never_meet_half_way(desk):
    """Real concurrency: the invitation is the sender's, or it is withdrawn."""
    dice = random.Random(1)  # noqa: S311 # repeatable
    for number in range(12):
        desk.bring([ANN])
        ask(desk, case_number=number)
        waits = dice.random() * 0.01, dice.random() * 0.01
        with concurrent.futures.ThreadPoolExecutor() as pool:
            sending = pool.submit(
                lambda wait=waits[0]: (time.sleep(wait), claim(desk))[1]
            )
            removing_one = pool.submit(
                lambda wait=waits[1], case=number: (
                    time.sleep(wait), approve(desk, case)
                )
            )  # fmt: skip
            claimed = sending.result(60)
            assert removing_one.exception(60) is None
        assert set(statuses(desk)) == {"withdrawn"}
        if claimed:  # what was sent is said to be sent
            with desk.store.begin() as conn:
                outbox.mark_sent(conn, [claimed[0].id], LATER)
            assert statuses(desk).count("sent") == 1
            desk.execute(
                "UPDATE cvms.messages SET status = 'withdrawn', sent_at = NULL"
            )


def test_uploads_withdrawals_and_removals_at_once_leave_counts_that_are_right(desk):
    dice = random.Random(7)  # noqa: S311 # repeatable
    people = [f"P{chr(97 + n)},Lee,1/2/1990,p{n % 4}@b.org" for n in range(8)]
    broken = [each.replace("P", "P#", 1) for each in people]

    def work(number):
        slug = ("mercy", "duke")[number % 2]
        rows = dice.sample(people, 4) + dice.sample(broken, 2)
        rows[0] = rows[0].replace("@b.org", f"@c{number}.org")
        upload_id = desk.bring_id(rows, slug)
        if number % 4 == 3:
            with contextlib.suppress(withdrawals.NotWithdrawable):
                withdraw(desk, upload_id)
        for turn in range(2):
            name = dice.choice(people).split(",")[0]
            with contextlib.suppress(
                requests.RecipientUnknown, requests.AskedAlready,
                requests.NothingAsked, KeyError,
            ):  # fmt: skip
                removed = desk.remove(name, case_number=10 * number + turn)
                with desk.store.begin() as conn:
                    erasing.erase(conn, removed, now=LATER)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(10)))

    assert desk.column("SELECT count(*) FROM cvms.removals")[0] > 3
    wrong = (
        "SELECT slug FROM cvms.providers WHERE recipients <> (SELECT count(*) FROM"
        " cvms.recipients WHERE provider = slug AND removed_at IS NULL)"
        " UNION ALL SELECT upload.id FROM cvms.uploads AS upload WHERE outstanding <>"
        " (SELECT count(*) FROM cvms.rejected_rows WHERE upload_id = upload.id AND"
        " is_outstanding) OR withdrawn_at IS NULL AND loaded - updated <> (SELECT"
        " count(*) FROM cvms.recipients WHERE upload_id = upload.id)"
        " UNION ALL SELECT status FROM cvms.messages INNER JOIN cvms.recipients"
        " ON recipients.id = recipient_id WHERE removed_at IS NOT NULL AND status ="
        " 'waiting'"
    )
    assert desk.column(wrong) == []
    assert not {each.recipient_id for each in claim(desk, limit=99)} & set(
        desk.column("SELECT CAST(recipient_id AS text) FROM cvms.removals"
                    " WHERE approved_at IS NOT NULL")
    )  # fmt: skip
