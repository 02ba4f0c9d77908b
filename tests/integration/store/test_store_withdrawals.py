"""An upload is withdrawn as a whole, while all of its invitations wait, or not."""

import concurrent.futures
import contextlib
import datetime as dt
import random
import time

import pytest
from upload_steps import NOW, is_blocked

from cvms_pipeline.store import audit, loading, outbox, uploads
from cvms_pipeline.store.chain import outstanding, withdrawals

ANN = "Ann,Lee,1/2/1990,ann@b.org"
BOB = "Bob,Lee,1/2/1990,bob@b.org"
BAD = "Cy,,1/2/1990,cy@b.org"
CY = "Cy,Lee,1/2/1990,cy@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
LATER = NOW + dt.timedelta(minutes=1)
LEASE = dt.timedelta(seconds=40)
INVITATION = outbox.Kind.INVITATION
TABLES = ("recipients", "recipient_changes", "messages", "rejected_rows", "providers")


def bring(desk, rows, slug="mercy"):
    """Load an upload, and return its id."""
    upload_id = desk.receive(slug)
    desk.load(upload_id, desk.decide(upload_id, rows, slug))
    return upload_id


def withdraw(desk, upload_id):
    with desk.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why="the wrong file", now=LATER)


def refusal(desk, upload_id):
    with pytest.raises(withdrawals.NotWithdrawable) as raised:
        withdraw(desk, upload_id)
    return str(raised.value)


def claim(desk, **which):
    facts = {"now": LATER, "lease": LEASE, "limit": 20, **which}
    with desk.store.begin() as conn:
        return outbox.claim(conn, INVITATION, **facts)


def get(desk, upload_id):
    with desk.store.begin() as conn:
        return uploads.get(conn, upload_id)


def emails(desk):
    return desk.column("SELECT email FROM cvms.recipients ORDER BY 1")


def everything(desk, *columns):
    """Return all that withdrawal could change."""
    return {
        name: desk.table(f"SELECT * FROM cvms.{name} ORDER BY 1, 2").to_csv()  # noqa: S608 # names above
        for name in TABLES
    }


def test_a_withdrawn_upload_leaves_nobody_and_nothing_to_send(desk):
    upload_id = bring(desk, [ANN, BOB, BAD])

    withdraw(desk, upload_id)

    found = get(desk, upload_id)
    assert (found.status, found.withdrawn_at) == ("withdrawn", LATER)
    assert found.withdrawn_why == "the wrong file"
    assert (found.loaded, found.rejected, found.outstanding) == (2, 1, 0)
    assert emails(desk) == []
    assert claim(desk) == []
    assert desk.column(
        "SELECT recipients FROM cvms.providers WHERE slug = 'mercy'"
    ) == [0]


def test_what_was_withdrawn_can_be_loaded_again_as_new(desk):
    withdraw(desk, bring(desk, [ANN]))

    again = bring(desk, [ANN])

    assert get(desk, again).loaded == 1
    names = desk.column("SELECT username FROM cvms.recipients")
    assert names == ["ann@b.org.COVID19VACCINE"]
    assert [each.to for each in claim(desk)] == [("ann@b.org",)]


def test_the_audit_has_the_counts_and_not_the_words(desk):
    bring(desk, [ANN])
    upload_id = bring(desk, [ANN_CORRECTED, BOB])

    withdraw(desk, upload_id)

    with desk.store.begin() as conn:
        (entry, *_) = audit.list_entries(conn, upload_id=upload_id, limit=9)
    assert entry.event == "upload-withdrawn"
    assert (entry.details, entry.provider) == ({"taken_out": 1, "undone": 1}, "mercy")


def test_a_correction_is_undone_and_its_person_is_invited_at_the_old_address(desk):
    bring(desk, [ANN])
    before = desk.table("SELECT * FROM cvms.recipients").to_csv()
    upload_id = bring(desk, [ANN_CORRECTED])
    # The invitation to the earlier address is found to be outdated.
    assert [each.to for each in claim(desk, upload_id="upload-1")] == []

    withdraw(desk, upload_id)

    assert desk.table("SELECT * FROM cvms.recipients").to_csv() == before
    assert desk.column("SELECT count(*) FROM cvms.recipient_changes") == [0]
    assert [each.to for each in claim(desk)] == [("ann@b.org",)]


def test_a_person_who_was_invited_before_the_correction_gets_no_second_invitation(desk):
    bring(desk, [ANN])
    (sent,) = claim(desk)
    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [sent.id], LATER)

    withdraw(desk, bring(desk, [ANN_CORRECTED]))

    assert emails(desk) == ["ann@b.org"]
    assert claim(desk) == []


def test_a_username_that_was_taken_meanwhile_gets_a_number(desk):
    bring(desk, [ANN])
    upload_id = bring(desk, [ANN_CORRECTED])
    bring(desk, ["Zoe,Moe,1/2/1990,ann@b.org"], slug="duke")

    withdraw(desk, upload_id)

    names = desk.table(
        "SELECT first_name, username, username_number FROM cvms.recipients ORDER BY 1"
    )
    assert names.values.tolist() == [
        ["Ann", "ann@b.org.2.COVID19VACCINE", 2],
        ["Zoe", "ann@b.org.COVID19VACCINE", 1],
    ]


def test_a_number_of_a_username_comes_back(desk):
    bring(desk, [BOB.replace("bob@", "ann@")])
    bring(desk, [ANN])
    before = desk.table("SELECT * FROM cvms.recipients ORDER BY id").to_csv()
    upload_id = bring(desk, [ANN_CORRECTED])

    withdraw(desk, upload_id)

    assert desk.table("SELECT * FROM cvms.recipients ORDER BY id").to_csv() == before


def send_one(desk, upload_id):
    (message, *_) = claim(desk, limit=1)
    with desk.store.begin() as conn:
        outbox.mark_sent(conn, [message.id], LATER)


def postpone_one(desk, upload_id):
    (message, *_) = claim(desk, limit=1)
    with desk.store.begin() as conn:
        outbox.postpone(conn, message, "MailServerBusy", LATER)


def claim_one(desk, upload_id):
    claim(desk, limit=1)


# What has happened to one of two invitations.
BEGUN = [send_one, postpone_one, claim_one]
INVITED = (
    "The upload upload-1 cannot be withdrawn any more: its invitations are being sent."
    " Ask the help desk to remove people."
)


@pytest.mark.parametrize("begin", BEGUN)
def test_nothing_is_withdrawn_once_an_invitation_may_have_been_sent(desk, begin):
    upload_id = bring(desk, [ANN, BOB, BAD])
    begin(desk, upload_id)
    before = everything(desk)

    assert refusal(desk, upload_id) == INVITED

    assert everything(desk) == before
    assert get(desk, upload_id).withdrawn_at is None


def test_people_whom_a_later_upload_has_corrected_are_not_taken_out(desk):
    upload_id = bring(desk, [ANN, BOB])
    later = bring(desk, [ANN_CORRECTED])
    before = everything(desk)

    assert refusal(desk, upload_id) == (
        f"The upload {upload_id} cannot be withdrawn any more: a later upload has"
        " changed people whom it has loaded or corrected. Ask the help desk to remove"
        " people."
    )
    assert everything(desk) == before
    withdraw(desk, later)
    withdraw(desk, upload_id)
    assert emails(desk) == []


def test_a_correction_that_was_corrected_again_is_not_undone(desk):
    bring(desk, [ANN])
    upload_id = bring(desk, [ANN_CORRECTED])
    bring(desk, [ANN.replace("b.org", "newer.org")])

    assert "a later upload has changed people" in refusal(desk, upload_id)


# What an upload has, and why it cannot be withdrawn.
WHY_NOT = [
    (lambda desk: desk.receive(), "The upload upload-1 has no outcome yet, so there is"
                                  " nothing to withdraw."),
    (lambda desk: bring(desk, [BAD]), "The upload upload-1 has loaded nobody, so there"
                                      " is nothing to withdraw."),
    (lambda desk: "nothing", "There is no upload 'nothing'. See `cvms uploads`."),
]  # fmt: skip


@pytest.mark.parametrize(("make", "told"), WHY_NOT)
def test_what_cannot_be_withdrawn_is_explained(desk, make, told):
    assert refusal(desk, make(desk)) == told


def test_an_upload_is_withdrawn_once(desk):
    upload_id = bring(desk, [ANN])
    withdraw(desk, upload_id)

    assert refusal(desk, upload_id) == f"The upload {upload_id} was withdrawn already."


def test_a_word_must_say_why(desk):
    upload_id = bring(desk, [ANN])

    with desk.store.begin() as conn, pytest.raises(outstanding.WhyMissing):
        withdrawals.withdraw(conn, upload_id, why=" ", now=LATER)


def test_running_a_withdrawn_upload_again_loads_nobody(desk):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN, BAD])
    desk.load(upload_id, planned)
    withdraw(desk, upload_id)
    before = everything(desk)

    again = desk.load(upload_id, desk.decide(upload_id, [ANN, BAD]))

    assert (again.rows, again.loaded, again.rejected) == (2, 1, 1)
    assert everything(desk) == before
    with desk.store.begin() as conn:
        found = uploads.get(conn, upload_id)
        assert loading.count_accounted_lines(conn, found) == 2
        uploads.mark_failed(conn, upload_id, now=LATER)
        uploads.mark_recovered(conn, upload_id, now=LATER)
    assert get(desk, upload_id).status == "withdrawn"


def test_rows_that_a_withdrawn_upload_brought_back_are_outstanding_again(desk):
    first = bring(desk, [BAD, "Dee#,Lee,1/2/1990,dee@b.org"])
    child = bring(desk, [CY, "Dee#,Lee,1/2/1990,dee@b.org"])
    assert (get(desk, first).outstanding, get(desk, child).outstanding) == (0, 1)

    withdraw(desk, child)

    assert (get(desk, first).outstanding, get(desk, child).outstanding) == (2, 0)
    third = bring(desk, [CY])
    assert get(desk, third).parents == (first,)


def test_a_row_that_a_grandchild_has_loaded_is_not_outstanding_again(desk):
    dee = "Dee#,Lee,1/2/1990,dee@b.org"
    first = bring(desk, [dee])
    child = bring(desk, [ANN, dee])
    grandchild = bring(desk, [dee.replace("#", "")])

    withdraw(desk, child)

    assert (get(desk, first).outstanding, get(desk, child).outstanding) == (0, 0)
    withdraw(desk, grandchild)
    assert get(desk, first).outstanding == 1


def test_a_duplicate_of_somebody_taken_out_is_outstanding(desk):
    upload_id = bring(desk, [ANN])
    other = bring(desk, [ANN, BOB], slug="duke")
    assert get(desk, other).outstanding == 0

    withdraw(desk, upload_id)

    assert get(desk, other).outstanding == 1


def test_an_earlier_upload_that_was_withdrawn_is_withdrawn_with_its_rows(desk):
    first = bring(desk, [ANN, BAD])
    child = bring(desk, [CY])
    withdraw(desk, first)

    withdraw(desk, child)

    assert get(desk, first).outstanding == 0


def test_a_sender_and_a_withdrawal_never_meet_half_way(desk):
    """Real concurrency: whoever is first, the other one finds all or nothing."""
    rows = [f"P{chr(97 + n)},Lee,1/2/1990,p{n}@b.org" for n in range(20)]
    dice = random.Random(1)  # noqa: S311 # repeatable
    for _ in range(15):
        upload_id = bring(desk, rows)
        waits = dice.random() * 0.01, dice.random() * 0.01
        with concurrent.futures.ThreadPoolExecutor() as pool:
            sending = pool.submit(
                lambda wait=waits[0]: (time.sleep(wait), claim(desk))[1]
            )
            taking = pool.submit(
                lambda wait=waits[1], each=upload_id: (
                    time.sleep(wait), withdraw(desk, each)
                )
            )  # fmt: skip
            claimed, error = sending.result(60), taking.exception(60)
        stored = desk.column("SELECT count(*) FROM cvms.recipients")[0]
        assert (len(claimed), stored) in ((20, 20), (0, 0))
        assert (error is None) is (not claimed)
        if claimed:
            desk.execute("DELETE FROM cvms.messages")
            desk.execute("DELETE FROM cvms.recipients")


def test_a_sender_that_is_claiming_is_not_waited_for(desk):
    upload_id = bring(desk, [ANN, BOB])
    with desk.store.begin() as conn:
        claimed = outbox.claim(conn, INVITATION, now=LATER, lease=LEASE, limit=1)
        assert len(claimed) == 1
        assert refusal(desk, upload_id) == INVITED
    assert emails(desk) == ["ann@b.org", "bob@b.org"]


def test_a_withdrawal_that_is_rolled_back_leaves_everything(desk):
    upload_id = bring(desk, [ANN, BAD])
    before = everything(desk)

    with desk.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why="no", now=LATER)
        conn.rollback()

    assert everything(desk) == before
    assert len(claim(desk)) == 1


# The rows of an upload that is loaded while another one with Ann is withdrawn.
MEANWHILE = [[ANN], [ANN_CORRECTED], [ANN, BOB]]


@pytest.mark.parametrize("rows", MEANWHILE)
@pytest.mark.parametrize("slug", ["mercy", "duke"])
def test_an_upload_that_meets_a_withdrawal_loads_the_person_as_new(desk, rows, slug):
    upload_id = bring(desk, [ANN])
    later = desk.receive(slug)
    planned = desk.decide(later, rows, slug)

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        withdrawals.withdraw(conn, upload_id, why="no", now=LATER)
        running = pool.submit(desk.load, later, planned)
        assert is_blocked(desk, running)
        conn.commit()
        ended = running.result(60)

    assert (ended.loaded, ended.updated) == (len(rows), 0)
    assert desk.column("SELECT DISTINCT upload_id FROM cvms.recipients") == [later]


def test_a_withdrawal_that_meets_a_correction_waits_and_is_refused(desk):
    upload_id = bring(desk, [ANN])
    later = desk.receive()
    planned = desk.decide(later, [ANN_CORRECTED])

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        locked = uploads.lock(conn, later)
        loading.load(conn, locked, planned, now=NOW, data_ops="ops@b.org")
        running = pool.submit(withdraw, desk, upload_id)
        assert is_blocked(desk, running)
        conn.commit()
        error = running.exception(60)

    assert isinstance(error, withdrawals.NotWithdrawable)
    assert emails(desk) == ["ann@new.org"]


def test_a_child_and_the_withdrawal_of_its_parent_do_not_block_each_other(desk):
    parent = bring(desk, [ANN, BAD])
    child = desk.receive()
    planned = desk.decide(child, [CY, ANN])

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        locked = uploads.lock(conn, child)
        loading.load(conn, locked, planned, now=NOW, data_ops="ops@b.org")
        running = pool.submit(withdraw, desk, parent)
        assert is_blocked(desk, running)
        conn.commit()
        assert running.exception(60) is None

    # Ann was a duplicate of somebody who is taken out now.
    assert (get(desk, parent).outstanding, get(desk, child).outstanding) == (0, 1)


def test_the_delay_keeps_invitations_until_it_is_over(desk):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN])
    delay = dt.timedelta(minutes=10)
    with desk.store.begin() as conn:
        loading.load(
            conn,
            uploads.lock(conn, upload_id),
            planned,
            now=NOW,
            data_ops="ops@b.org",
            invitation_delay=delay,
        )

    assert claim(desk, now=NOW + delay - dt.timedelta(seconds=1)) == []
    with desk.store.begin() as conn:
        assert withdrawals.can_withdraw(conn, upload_id)
    assert len(claim(desk, now=NOW + delay)) == 1
    with desk.store.begin() as conn:
        assert not withdrawals.can_withdraw(conn, upload_id)


def test_many_uploads_and_withdrawals_at_once_leave_what_the_uploads_say(desk):
    dice = random.Random(7)  # noqa: S311 # repeatable
    people = [f"P{chr(97 + n)},Lee,1/2/1990,p{n % 4}@b.org" for n in range(12)]
    broken = [each.replace("P", "P#", 1) for each in people]
    first = bring(desk, broken)

    def work(number):
        slug = ("mercy", "duke")[number % 2]
        rows = dice.sample(people, 4) + dice.sample(broken, 2)
        upload_id = bring(desk, rows, slug)
        if number % 3:
            with contextlib.suppress(withdrawals.NotWithdrawable):
                withdraw(desk, upload_id)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(16)))

    assert (
        desk.column(
            "SELECT upload.id FROM cvms.uploads AS upload WHERE (SELECT count(*)"
            " FROM cvms.recipients WHERE upload_id = upload.id)"
            " <> CASE WHEN withdrawn_at IS NULL THEN loaded - updated ELSE 0 END"
            " OR outstanding <> (SELECT count(*) FROM cvms.rejected_rows"
            " WHERE upload_id = upload.id AND is_outstanding)"
        )
        == []
    )
    total = desk.column("SELECT sum(recipients) FROM cvms.providers")
    assert desk.column("SELECT count(*) FROM cvms.recipients") == total
    assert get(desk, first).withdrawn_at is None
