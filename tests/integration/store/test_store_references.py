import pytest
import sqlalchemy as sa

from cvms_pipeline.database import engine

_INSERT = """
INSERT INTO cvms.recipients (
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
VALUES (
    'Bo', 'Day', '1990-01-02', 'bo@b.org', 'bo', 'day', 'bo', 1, :provider,
    :upload_id, 2, now()
)
"""


def _delete_uploads(desk):
    with desk.store.begin() as conn:
        conn.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        conn.execute(sa.text("DELETE FROM cvms.uploads"))


# What would leave recipients without the upload that loaded them.
_BREAKING = [
    "DELETE FROM cvms.uploads",
    "UPDATE cvms.uploads SET id = 'another'",
    "UPDATE cvms.uploads SET provider = 'duke'",
    "UPDATE cvms.uploads SET provider = NULL",
    "UPDATE cvms.recipients SET upload_id = 'unknown'",
    "UPDATE cvms.recipients SET provider = 'duke'",
    "TRUNCATE cvms.uploads, cvms.rejected_rows, cvms.recipient_changes, cvms.cases,"
    " cvms.case_activity, cvms.case_files",
]


@pytest.mark.parametrize("statement", _BREAKING)
def test_a_recipient_keeps_its_upload_and_provider(desk, statement):
    desk.bring(["Ann,Lee,1/2/1990,ann@b.org"])

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(statement)

    assert raised.value.constraint == "recipients_upload"


# Whom a recipient cannot be of: no upload, and another provider's upload.
@pytest.mark.parametrize(
    ("upload_id", "provider"), [("unknown", "mercy"), ("upload-1", "duke")]
)
def test_a_recipient_without_an_upload_is_refused(desk, upload_id, provider):
    desk.receive("mercy")

    with pytest.raises(engine.StoreError) as raised:
        desk.execute(_INSERT, upload_id=upload_id, provider=provider)

    assert raised.value.constraint == "recipients_upload"


def test_an_upload_cannot_be_deleted_while_its_recipients_are_stored(desk):
    upload_id = desk.receive("mercy")
    facts = {"upload_id": upload_id, "provider": "mercy"}

    with desk.store.begin() as conn:
        conn.execute(sa.text(_INSERT), facts)
        with pytest.raises(engine.StoreAway):
            _delete_uploads(desk)

    assert desk.column("SELECT upload_id FROM cvms.recipients") == [upload_id]


def test_an_upload_without_recipients_may_go_and_one_may_be_given_its_provider(desk):
    desk.receive(None)
    desk.execute("UPDATE cvms.uploads SET provider = 'duke'")

    desk.execute("DELETE FROM cvms.uploads")

    assert desk.column("SELECT id FROM cvms.uploads") == []


def test_everything_may_be_emptied_together(desk):
    desk.bring(["Ann,Lee,1/2/1990,ann@b.org"])

    desk.execute(
        "TRUNCATE cvms.recipients, cvms.uploads, cvms.rejected_rows,"
        " cvms.recipient_changes, cvms.removals, cvms.cases, cvms.case_activity,"
        " cvms.case_files, cvms.registrations, cvms.registration_drafts"
    )

    assert desk.column("SELECT id FROM cvms.uploads") == []
