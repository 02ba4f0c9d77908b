import datetime as dt
import time
import uuid

import pytest
import sheets
from upload_steps import HEADER, NOW

from cvms_pipeline.database import engine
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.store import loading, rejected_rows, uploads

ANN = "Ann,Lee,1/2/1990,ann@b.org"
BOB = "Bob,Lee,3/4/1991,bob@b.org"


def everything(desk):
    names = ("uploads", "recipients", "recipient_changes", "rejected_rows", "messages")
    return {
        name: desk.table(f"SELECT * FROM cvms.{name} ORDER BY 1, 2").to_dict()  # noqa: S608 # names above
        for name in names
    }


def test_good_rows_become_recipients(desk):
    ended = desk.bring(["Ann, Lee ,1/2/1990,Ann@b.org", BOB])

    stored = desk.table(
        "SELECT first_name, last_name, birth_date, email, provider, upload_id,"
        " source_line FROM cvms.recipients ORDER BY source_line"
    )
    day = dt.date(1990, 1, 2)
    assert (ended.rows, ended.loaded, ended.rejected) == (2, 2, 0)
    assert stored.iloc[0].tolist() == [
        "Ann", "Lee", day, "Ann@b.org", "mercy", "upload-1", 2,
    ]  # fmt: skip


def test_the_ids_of_recipients_are_uuids_that_begin_with_the_time(desk):
    before = time.time_ns() // 1_000_000
    desk.bring([ANN, BOB, "Cy,Lee,1/2/1990,ann@b.org"])  # the last one is staged
    after = time.time_ns() // 1_000_000

    ids = [
        uuid.UUID(str(text)) for text in desk.column("SELECT id FROM cvms.recipients")
    ]
    assert len(set(ids)) == 3
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    assert all(before <= each.int >> 80 <= after for each in ids)


def test_an_upload_s_outcome_is_recorded_with_how_it_was_read(desk):
    upload_id = desk.receive()
    data = f"{HEADER},Shoe size\r\n{ANN},7\r\n,Lee,1/2/1990,x\r\n".replace(",", ";")
    read = reader.read_sheet(data.encode("utf-8-sig"), lane=upload.Lane.LOW_VOLUME)
    planned = desk.judge([ANN, ",Lee,1/2/1990,x"]).replace(
        encoding=read.encoding,
        delimiter=read.delimiter,
        ignored_columns=read.ignored_columns,
        remarks=("One remark.",),
        plan=desk.decide(upload_id, [ANN]).plan,
    )

    desk.load(upload_id, planned)

    found = desk.latest()
    assert found.status is upload.UploadStatus.COMPLETED_WITH_ERRORS
    assert (found.encoding, found.delimiter) == ("utf-8-sig", ";")
    assert found.ignored_columns == ("Shoe size",)
    assert found.remarks == ("One remark.",)
    assert (found.rows, found.loaded, found.updated, found.rejected) == (2, 1, 0, 1)
    assert list(found.reasons) == [reasons.REQUIRED_MISSING, reasons.EMAIL_INVALID]
    assert (found.decided_at, found.finished_at) == (NOW, NOW)
    assert found.rules_version == upload.RULES_VERSION


def test_rejected_rows_keep_their_cells_and_all_their_reasons(desk):
    desk.bring([ANN, '"A#,\n""q""", Lee,1/2/90,\\N', BOB, "\\.,\\N,x,"])

    with desk.store.begin() as conn:
        rows = rejected_rows.read(conn, "upload-1")

    assert rows.index.tolist() == [3, 5]
    assert rows.loc[3, "first_name"] == 'A#,\n"q"'
    assert rows.loc[5, "last_name"] == "\\N"
    assert rows.loc[5, "email"] == ""
    assert rows.loc[3, "codes"] == "name-characters,birth-date-invalid,email-invalid"
    assert rows.loc[3, "message"].startswith("Line 3: FirstName: invalid characters")


def test_an_upload_without_rejected_rows_has_none(desk):
    desk.bring([ANN])

    with desk.store.begin() as conn:
        rows = rejected_rows.read(conn, "upload-1")

    assert rows.empty
    assert rows.index.name == "line"


def test_every_line_can_be_counted_again_in_the_tables(desk):
    desk.bring([ANN, BOB, "Cy,Lee,1/2/1990,cy"])
    desk.bring(["Ann,Lee,1/2/1990,new@b.org", BOB])

    with desk.store.begin() as conn:
        counts = [
            loading.count_accounted_lines(conn, uploads.get(conn, f"upload-{n}"))
            for n in (1, 2)
        ]

    assert counts == [3, 2]


def test_loading_again_returns_the_same_and_changes_nothing(desk):
    rows = [ANN, BOB, "Cy,Lee,1/2/1990,cy", ANN]
    first = desk.bring(rows)
    before = everything(desk)

    second = desk.load("upload-1", desk.decide("upload-1", rows))

    assert second == first
    assert everything(desk) == before


def test_loading_again_from_an_old_plan_changes_nothing(desk):
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN])
    first = desk.load(upload_id, planned)
    before = everything(desk)

    second = desk.load(upload_id, planned)

    assert second == first
    assert everything(desk) == before


def test_a_plan_that_was_kept_between_two_steps_loads_alike(desk):
    desk.bring([ANN])
    upload_id = desk.receive()
    planned = desk.decide(upload_id, ["Ann,Lee,1/2/1990,new@b.org", BOB, BOB])

    ended = desk.load(upload_id, sheets.repack(planned))

    assert (ended.rows, ended.loaded, ended.updated) == (3, 2, 1)


def test_two_uploads_can_be_loaded_in_one_transaction(desk):
    ids = [desk.receive(), desk.receive()]
    planned = [desk.decide(ids[0], [ANN]), desk.decide(ids[1], [BOB])]

    with desk.store.begin() as conn:
        for upload_id, each in zip(ids, planned, strict=True):
            locked = uploads.lock(conn, upload_id)
            loading.load(conn, locked, each, now=NOW, data_ops="ops@b.org")

    loaded = desk.column("SELECT upload_id FROM cvms.recipients ORDER BY 1")
    assert loaded == ids


def test_a_re_run_does_not_take_its_own_recipients_for_duplicates(desk):
    rows = [ANN, BOB, ANN]
    desk.bring(rows)

    again = outcome.from_sheet(desk.decide("upload-1", rows))

    assert (again.loaded, again.updated, again.rejected) == (2, 0, 1)


def test_a_refused_upload_loads_nothing_and_queues_a_notice(desk):
    upload_id = desk.receive()
    refusal = reasons.Refusal(code="file-empty", message="The file is empty.")

    ended = desk.load(upload_id, sheet.make_empty(refusal))

    found = desk.latest()
    assert (ended.rows, ended.refusal) == (0, refusal)
    assert (found.status, found.refusal) == (upload.UploadStatus.REFUSED, refusal)
    assert desk.column("SELECT purpose FROM cvms.messages") == ["notice:upload-1"]
    assert desk.column("SELECT count(*) FROM cvms.recipients") == [0]


def test_a_refused_upload_that_is_loaded_again_queues_no_second_notice(desk):
    upload_id = desk.receive()
    refusal = reasons.Refusal(code="file-empty", message="The file is empty.")
    first = desk.load(upload_id, sheet.make_empty(refusal))

    assert desk.load(upload_id, sheet.make_empty(refusal)) == first
    assert desk.column("SELECT count(*) FROM cvms.messages") == [1]


def test_an_unknown_upload_cannot_be_loaded(desk):
    with pytest.raises(uploads.UploadUnknown, match="nothing"):
        desk.load("nothing", desk.judge([]))


def test_the_provider_knows_how_many_recipients_it_loaded(desk):
    desk.bring([ANN, BOB, ANN])
    desk.bring(["Ann,Lee,1/2/1990,new@b.org"])

    counts = desk.column("SELECT recipients FROM cvms.providers ORDER BY slug")

    assert counts == [0, 2]


def test_every_loaded_recipient_gets_one_invitation(desk):
    desk.bring([ANN, BOB, "Cy,Lee,1/2/1990,cy"])

    invited = desk.table(
        "SELECT addresses, upload_id,"
        " purpose = 'invitation:' || recipient_id AND id = recipient_id AS is_own"
        " FROM cvms.messages WHERE kind = 'invitation' ORDER BY addresses"
    )

    assert invited["addresses"].tolist() == [["ann@b.org"], ["bob@b.org"]]
    assert invited["upload_id"].tolist() == ["upload-1", "upload-1"]
    assert invited["is_own"].all()


def test_the_database_itself_refuses_an_invitation_twice(desk):
    desk.bring([ANN])
    again = engine.load_statements("cvms_pipeline.store")("queue_invitations")

    with pytest.raises(engine.StoreError) as raised, desk.store.begin() as conn:
        conn.execute(again, {"upload_id": "upload-1", "due_at": NOW})

    assert raised.value.constraint == "pk_messages"


def test_of_one_file_the_numbered_and_the_corrected_are_invited_like_the_others(desk):
    desk.bring([ANN, BOB])

    ended = desk.bring(
        [
            "Ann,Lee,1/2/1990,ann@new.org",  # a correction
            "Cy,Lee,1/2/1990,cy@b.org",  # new, with an address of its own
            "Di,Lee,1/2/1990,cy@b.org",  # new, second with the address in the file
            "Ed,Lee,1/2/1990,bob@b.org",  # new, second with the address in the store
            "Flo,Lee,3/4/1991,ANN@new.org",  # new, second after the correction
        ]
    )

    told = "SELECT kind || ' ' || addresses[1] FROM cvms.messages"
    queued = desk.column(f"{told} WHERE upload_id = 'upload-2' ORDER BY 1")
    assert (ended.loaded, ended.updated) == (5, 1)
    assert queued == [
        "invitation ANN@new.org",
        "invitation ann@new.org",
        "invitation bob@b.org",
        "invitation cy@b.org",
        "invitation cy@b.org",
        "notice staff@mercy.example.org",
    ]


def test_the_notice_goes_to_all_addresses_of_the_provider(desk):
    desk.execute(
        "UPDATE cvms.providers SET emails = ARRAY['a@m.org', 'b@m.org']"
        " WHERE slug = 'mercy'"
    )

    desk.bring([ANN])

    notices = desk.column("SELECT addresses FROM cvms.messages WHERE kind = 'notice'")
    assert notices == [["a@m.org", "b@m.org"]]


def test_an_unknown_provider_is_alerted_to_data_ops(desk):
    upload_id = desk.receive(None, claim_refusal="provider-unknown")
    refusal = reasons.Refusal(code="provider-unknown", message="No such provider.")

    desk.load(upload_id, sheet.make_empty(refusal))

    (alert,) = desk.table("SELECT * FROM cvms.messages").to_dict("records")
    assert (alert["kind"], alert["addresses"]) == ("alert", ["ops@example.org"])
    assert alert["details"] == {"about": "provider-unknown", "folder": "stranger"}


def test_a_loaded_upload_without_any_row_left_is_not_refused(desk):
    ended = desk.bring(["Cy,Lee,1/2/1990,cy"])

    assert (ended.rows, ended.loaded, ended.rejected) == (1, 0, 1)
    assert desk.latest().status is upload.UploadStatus.COMPLETED_WITH_ERRORS
