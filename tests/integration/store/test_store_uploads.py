import datetime as dt

import pytest
import sqlalchemy as sa
from upload_steps import NOW

from cvms_pipeline.database import engine
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.store import listing, uploads

LATER = NOW + dt.timedelta(hours=1)
Status = upload.UploadStatus


def get(desk, upload_id):
    with desk.store.begin() as conn:
        return uploads.get(conn, upload_id)


def test_a_registered_upload_is_read_with_its_facts(desk):
    upload_id = desk.receive(lane=upload.Lane.HIGH_VOLUME, file_name="März.csv")

    found = get(desk, upload_id)

    assert (found.provider, found.lane) == ("mercy", upload.Lane.HIGH_VOLUME)
    assert (found.file_name, found.status) == ("März.csv", Status.RECEIVED)
    assert found.received_at.utcoffset() == dt.timedelta(0)
    assert (found.rows, found.refusal, found.reasons) == (0, None, {})


def test_registering_again_changes_nothing(desk):
    received = upload.ReceivedUpload(
        id="one",
        folder="mercy",
        provider="mercy",
        lane=upload.Lane.LOW_VOLUME,
        file_name="staff.csv",
        sha256="x",
        size=1,
        received_at=NOW,
    )

    with desk.store.begin() as conn:
        first = uploads.register(conn, received)
    with desk.store.begin() as conn:
        second = uploads.register(conn, received)

    assert (first, second) == (True, False)
    assert desk.column("SELECT id FROM cvms.uploads") == ["one"]


def test_a_file_name_that_is_no_text_is_stored_readably(desk):
    upload_id = desk.receive(file_name="caf\udce9.csv")

    assert get(desk, upload_id).file_name == "caf\\xe9.csv"


def test_the_provider_of_an_upload_must_be_known(desk):
    with pytest.raises(engine.StoreError) as raised:
        desk.receive("nobody")

    assert raised.value.constraint == "fk_uploads_provider"


def test_the_same_bytes_again_name_the_earlier_upload(desk):
    first = desk.receive(sha256="same")
    desk.receive("duke", sha256="same")

    second = desk.receive(sha256="same")

    assert get(desk, second).parent_upload == first


def test_a_file_that_was_never_read_has_no_identical_upload(desk):
    desk.receive(sha256=None)

    assert get(desk, desk.receive(sha256=None)).parent_upload is None


def test_an_unknown_upload_is_named(desk):
    with pytest.raises(uploads.UploadUnknown, match="'nothing'"):
        get(desk, "nothing")


def test_recent_uploads_come_latest_first(desk):
    first, second = desk.receive(), desk.receive("duke")

    with desk.store.begin() as conn:
        of_all = uploads.list_recent(conn, limit=10)
        of_one = listing.list_uploads(conn, provider="mercy", limit=10)

    assert [each.id for each in of_all] == [second, first]
    assert [each.id for each in of_one] == [first]


def test_low_volume_is_worked_on_before_high_volume(desk):
    high = desk.receive(lane=upload.Lane.HIGH_VOLUME)
    low, lower = desk.receive(), desk.receive()

    with desk.store.begin() as conn:
        awaiting = uploads.find_awaiting_run(conn, limit=10)

    assert [each.id for each in awaiting] == [low, lower, high]


def test_a_provider_with_many_uploads_delays_no_other(desk):
    first, second = desk.receive(), desk.receive()
    other = desk.receive("duke", lane=upload.Lane.HIGH_VOLUME)

    with desk.store.begin() as conn:
        awaiting = uploads.find_awaiting_run(conn, limit=10)

    assert [each.id for each in awaiting] == [first, other, second]


def test_new_uploads_come_before_those_that_were_requested_before(desk):
    asked, new = desk.receive(), desk.receive()

    with desk.store.begin() as conn:
        uploads.mark_requested(conn, [asked], now=NOW)
        awaiting = uploads.find_awaiting_run(conn, limit=10, requested_before=LATER)

    assert [each.id for each in awaiting] == [new, asked]


def test_a_run_is_requested_once_until_it_is_overdue(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        uploads.mark_requested(conn, [upload_id], now=NOW)
        at_once = uploads.find_awaiting_run(conn, limit=10)
        before = uploads.find_awaiting_run(conn, limit=10, requested_before=NOW)
        overdue = uploads.find_awaiting_run(conn, limit=10, requested_before=LATER)

    assert (at_once, before) == ([], [])
    assert [each.id for each in overdue] == [upload_id]


def test_a_started_upload_awaits_no_run(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        started = uploads.start(conn, upload_id, now=NOW, run_id="run 1")
        awaiting = uploads.find_awaiting_run(conn, limit=10)

    found = get(desk, upload_id)
    assert (awaiting, started) == ([], found)
    assert (found.status, found.started_at) == (Status.PROCESSING, NOW)


def test_a_second_run_keeps_when_the_first_began(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        uploads.start(conn, upload_id, now=NOW, run_id="run 1")
        uploads.start(conn, upload_id, now=LATER, run_id="run 2")

    found = get(desk, upload_id)
    assert (found.started_at, found.run_id) == (NOW, "run 2")


def test_starting_an_unknown_upload_names_it(desk):
    expected = pytest.raises(uploads.UploadUnknown, match="nothing")
    with expected, desk.store.begin() as conn:
        uploads.start(conn, "nothing", now=NOW, run_id="run 1")


def test_a_failed_upload_shows_since_when_and_is_listed(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        is_failed = uploads.mark_failed(conn, upload_id, now=LATER)
        failed = uploads.list_failed(conn)

    assert is_failed
    assert [(each.id, each.failed_at) for each in failed] == [(upload_id, LATER)]


def test_an_open_upload_fails_once(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        first = uploads.mark_failed(conn, upload_id, now=NOW, if_open=True)
        second = uploads.mark_failed(conn, upload_id, now=LATER, if_open=True)

    assert (first, second) == (True, False)
    assert get(desk, upload_id).failed_at == NOW


def test_a_failed_upload_that_was_never_decided_starts_over(desk):
    upload_id = desk.receive()

    with desk.store.begin() as conn:
        uploads.mark_failed(conn, upload_id, now=NOW)
        is_recovered = uploads.mark_recovered(conn, upload_id, now=LATER)
        uploads.start(conn, upload_id, now=LATER, run_id="run 2")

    assert not is_recovered
    assert get(desk, upload_id).status is Status.PROCESSING


# Rows of a file, and the status that its counts say.
_ENDS = [
    (["Ann,Lee,1/2/1990,ann@b.org"], Status.COMPLETED),
    (["Ann,Lee,1/2/1990,ann"], Status.COMPLETED_WITH_ERRORS),
    ([], Status.REFUSED),
]


@pytest.mark.parametrize(("rows", "status"), _ENDS)
def test_a_failed_upload_that_was_decided_gets_its_recorded_status(desk, rows, status):
    desk.bring(rows)
    decided = desk.latest()

    with desk.store.begin() as conn:
        uploads.mark_failed(conn, decided.id, now=NOW)
        uploads.start(conn, decided.id, now=LATER, run_id="run 2")
        while_failed = uploads.get(conn, decided.id)
        is_recovered = uploads.mark_recovered(conn, decided.id, now=LATER)

    found = get(desk, decided.id)
    assert (decided.status, while_failed.status) == (status, Status.FAILED)
    assert is_recovered
    assert (found.status, found.finished_at) == (status, LATER)


def test_an_upload_that_has_not_failed_needs_no_recovery(desk):
    desk.bring(["Ann,Lee,1/2/1990,ann@b.org"])

    with desk.store.begin() as conn:
        assert not uploads.mark_recovered(conn, "upload-1", now=LATER)


def test_the_summary_adds_up_each_provider_s_uploads(desk):
    desk.bring(["Ann,Lee,1/2/1990,ann@b.org", "Bob,Lee,1/2/1990,bob"])
    desk.bring(["Cy,Lee,1/2/1990,cy@b.org"])
    desk.receive("duke")
    failed = desk.receive("duke")

    with desk.store.begin() as conn:
        uploads.mark_failed(conn, failed, now=NOW)
        duke, mercy = listing.summarise_uploads(conn, since=NOW)
        later = listing.summarise_uploads(conn, since=LATER)

    assert (mercy.uploads, mercy.rows, mercy.loaded, mercy.rejected) == (2, 3, 2, 1)
    assert (duke.uploads, duke.waiting, duke.failed, duke.rows) == (2, 1, 1, 0)
    assert later == []


def test_the_summary_has_the_median_of_the_seconds_to_the_notice(desk):
    for number in (1, 2, 3):
        desk.bring([f"Ann,Lee,1/{number}/1990,ann@b.org"])
    sent = sa.text(
        "UPDATE cvms.messages SET status = 'sent', sent_at = upload.received_at"
        " + CASE upload.id WHEN 'upload-1' THEN 1 WHEN 'upload-2' THEN 9 ELSE 2 END"
        " * interval '1 second' FROM cvms.uploads AS upload"
        " WHERE upload.id = upload_id AND kind = 'notice'"
    )

    with desk.store.begin() as conn:
        (before,) = listing.summarise_uploads(conn, since=NOW)
        conn.execute(sent)
        (after,) = listing.summarise_uploads(conn, since=NOW)

    assert before.seconds_to_notice is None
    assert after.seconds_to_notice == 2


def test_the_reasons_of_all_uploads_are_counted_most_rows_first(desk):
    desk.bring(["Ann,Lee,1/2/1990,ann", "Bob,Lee,1/2/1990,bob", "C#,Lee,1/2/1990,c"])
    desk.bring(["Cy,Lee,1/2/1990,cy"])
    upload_id = desk.receive()
    refused = sheet.make_empty(reasons.make_refusal(reasons.FILE_EMPTY))
    desk.load(upload_id, refused)

    with desk.store.begin() as conn:
        told = listing.count_reasons(conn, since=NOW)
        later = listing.count_reasons(conn, since=LATER)

    assert [(each.code, each.uploads, each.rows) for each in told] == [
        ("email-invalid", 2, 4),
        ("name-characters", 1, 1),
        ("file-empty", 1, 0),
    ]
    assert later == []


# Counts that cannot be, each refused by the constraint that is named.
_IMPOSSIBLE = [
    ("rows = 2, loaded = 1", "ck_uploads_counts"),
    ("updated = 1", "ck_uploads_shares"),
    ("status = 'lost'", "ck_uploads_status"),
    ("status = 'completed'", "ck_uploads_finished"),
    ("finished_at = now(), status = 'refused'", "ck_uploads_decided"),
    ("refusal_code = 'file-empty'", "ck_uploads_refusal"),
    ("status = 'failed'", "ck_uploads_failed"),
]


@pytest.mark.parametrize(("change", "constraint"), _IMPOSSIBLE)
def test_the_database_refuses_an_upload_that_does_not_add_up(desk, change, constraint):
    desk.receive()

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(" ".join(["UPDATE cvms.uploads SET", change]))

    assert raised.value.constraint == constraint
