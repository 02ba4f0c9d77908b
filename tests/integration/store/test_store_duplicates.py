import pytest

from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.store import rejected_rows

ANN = "Ann,O'Lee,1/2/1990,ann@b.org"
ANN_CORRECTED = "Ann,O'Lee,1/2/1990,ann@new.org"


def rejections(desk):
    with desk.store.begin() as conn:
        return rejected_rows.read(conn, desk.latest().id)


def emails(desk):
    return desk.column("SELECT email FROM cvms.recipients ORDER BY email")


# The same person in another writing.
_SAME = [
    ANN,  # exactly
    "ANN,o'lee,01/02/1990,ann@b.org",  # capital letters, leading zeros
    "Ann,O’Lee,1/2/1990,ANN@B.ORG",  # a curly apostrophe, capital e-mail
    "  Ann ,O'Lee,1/2/1990,ann@b.org",  # spaces around
    "Ａｎｎ,O'Lee,1/2/1990,ann@b.org",  # full-width letters
]


@pytest.mark.parametrize("row", _SAME)
def test_a_stored_person_is_a_duplicate_in_any_writing(desk, row):
    desk.bring([ANN])

    ended = desk.bring([row])

    assert dict(ended.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}


def test_only_data_ops_see_which_recipient_a_duplicate_matched(desk):
    desk.bring([ANN])

    desk.bring([ANN], "duke")

    (matched,) = desk.column("SELECT matched_recipient FROM cvms.rejected_rows")
    assert [matched] == desk.column("SELECT id FROM cvms.recipients")
    assert str(matched) not in rejections(desk).to_csv()


def test_duplicates_in_one_file_load_once(desk):
    ended = desk.bring([ANN, ANN_CORRECTED, ANN])

    assert (ended.loaded, ended.rejected) == (1, 2)
    assert emails(desk) == ["ann@b.org"]
    assert rejections(desk)["message"].str.contains("same person as line 2").all()


def test_a_provider_corrects_the_e_mail_of_whom_it_loaded(desk):
    desk.bring([ANN])

    ended = desk.bring([ANN_CORRECTED])

    assert (ended.loaded, ended.updated, ended.rejected) == (1, 1, 0)
    assert emails(desk) == ["ann@new.org"]


def test_a_correction_is_recorded_with_the_earlier_address(desk):
    desk.bring([ANN])

    desk.bring([ANN_CORRECTED])

    (change,) = desk.table(
        "SELECT old_email, new_email, old_username, new_username, upload_id,"
        " source_line FROM cvms.recipient_changes"
    ).values.tolist()  # fmt: skip
    assert change == [
        "ann@b.org",
        "ann@new.org",
        "ann@b.org.COVID19VACCINE",
        "ann@new.org.COVID19VACCINE",
        "upload-2",
        2,
    ]


def test_a_corrected_recipient_keeps_its_id_and_upload(desk):
    desk.bring([ANN])
    before = desk.column("SELECT id FROM cvms.recipients")

    desk.bring([ANN_CORRECTED])

    after = desk.table("SELECT id, upload_id FROM cvms.recipients").iloc[0]
    assert ([after["id"]], after["upload_id"]) == (before, "upload-1")


def test_a_corrected_recipient_is_invited_at_the_new_address(desk):
    desk.bring([ANN])

    desk.bring([ANN_CORRECTED])

    (invited,) = desk.table(
        "SELECT id, addresses, purpose FROM cvms.messages"
        " WHERE kind = 'invitation' AND upload_id = 'upload-2'"
    ).to_dict("records")
    (change,) = desk.column("SELECT id FROM cvms.recipient_changes")
    assert invited["addresses"] == ["ann@new.org"]
    assert invited["purpose"].endswith(f":{change}")
    assert invited["id"] == change


def test_another_provider_cannot_correct_an_e_mail(desk):
    desk.bring([ANN])

    ended = desk.bring([ANN_CORRECTED], "duke")

    assert dict(ended.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert emails(desk) == ["ann@b.org"]


def test_who_has_registered_is_not_corrected(desk):
    desk.bring([ANN])
    desk.execute("UPDATE cvms.recipients SET password_set_at = now()")

    ended = desk.bring([ANN_CORRECTED])

    assert dict(ended.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert emails(desk) == ["ann@b.org"]


def test_who_registers_between_deciding_and_loading_is_not_corrected(desk):
    desk.bring([ANN])
    upload_id = desk.receive()
    planned = desk.decide(upload_id, [ANN_CORRECTED])
    desk.execute("UPDATE cvms.recipients SET password_set_at = now()")

    ended = desk.load(upload_id, planned)

    assert dict(ended.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert emails(desk) == ["ann@b.org"]


def test_a_correction_with_new_rows_and_duplicates_adds_up(desk):
    desk.bring([ANN])

    ended = desk.bring([ANN, ANN_CORRECTED, ANN_CORRECTED, "Bob,Lee,1/2/1990,b@b.org"])

    assert (ended.rows, ended.loaded, ended.updated) == (4, 2, 1)
    assert dict(ended.reasons) == {
        reasons.DUPLICATE_IN_FILE: 1,
        reasons.DUPLICATE_RECIPIENT: 1,
    }


def test_matching_nothing_finds_nobody(desk):
    planned = desk.decide("upload-1", ["Ann,Lee,1/2/1990,ann"])

    assert planned.plan.empty
