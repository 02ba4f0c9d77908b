"""A file that is sent by a page becomes an upload like a file that was dropped."""

import concurrent.futures
import dataclasses

import pytest
from installations import ANN, BAD, BOB, HEADER, HIGH, LOW

from cvms_pipeline.database import engine
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, watching
from cvms_pipeline.files.portal_files import submitted
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases import drop, receive
from cvms_pipeline.use_cases.provider_actions import submit

ANNS_ACCOUNT = "7c3f4f7e-5a0b-4a51-9d0e-1d7f3f1f9f10"
ID = "20260101-120000-abcdefgh"
ROWS = [ANN, BOB, BAD]
DATA = "\r\n".join([HEADER, *ROWS]).encode()
SENT = submit.Submission(
    upload_id=ID,
    data=DATA,
    file_name="My staff.csv",
    lane=LOW,
    provider="mercy",
    sent_by=ANNS_ACCOUNT,
)


def list_claims(site) -> list[str]:
    folders = site.pipeline.folders.claims.glob("*")
    return [each.name for each in folders if each.is_dir()]


def test_what_is_sent_is_an_upload_at_once_with_its_bytes_in_the_archive(site):
    made = submit.submit(site.pipeline, SENT)

    assert (made.id, made.provider, made.lane) == (ID, "mercy", LOW)
    assert made.file_name == "My staff.csv"
    assert (made.size, made.sha256) == (len(DATA), upload.compute_sha256(DATA))
    assert made.status is upload.UploadStatus.RECEIVED
    assert (made.sent_from, made.sent_by) == (upload.Way.PORTAL, ANNS_ACCOUNT)
    assert site.pipeline.archive.read(ID) == DATA
    assert list_claims(site) == []


def test_a_dropped_file_comes_from_a_folder_and_from_no_account(site):
    made = site.upload(site.receive([ANN]))

    assert (made.sent_from, made.sent_by) == (upload.Way.FOLDER, None)


def test_it_loads_rejects_and_tells_what_the_same_file_does_that_is_dropped(site):
    submit.submit(site.pipeline, SENT)
    loaded = site.process(ID)

    assert (loaded.outcome.loaded, loaded.outcome.rejected) == (2, 1)
    assert site.results() == ["BulkError.csv", "receipt.txt"]
    (notice,) = site.mail()
    assert notice["Subject"] == "Bulk Employee Upload - Failure"


def test_sent_twice_under_one_id_it_is_one_upload(site):
    first = submit.submit(site.pipeline, SENT)

    again = submit.submit(site.pipeline, dataclasses.replace(SENT, lane=HIGH))

    assert again == first
    assert len(site.table("SELECT id FROM cvms.uploads")) == 1


def test_sent_many_times_at_once_it_is_one_upload(site):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: submit.submit(site.pipeline, SENT), range(4)))

    assert {each.id for each in made} == {ID}
    assert site.column("SELECT id FROM cvms.uploads") == [ID]
    assert site.column(
        "SELECT count(*) FROM cvms.audit WHERE event = 'upload-claimed'"
    ) == [1]
    assert list_claims(site) == []


def test_whoever_waits_for_changes_of_the_folder_is_woken(site):
    turns = watching.watch_changes(site.pipeline.folders.root, pause_seconds=0.2)
    quiet = [next(turns), next(turns)]

    submit.submit(site.pipeline, SENT)

    assert [*quiet, next(turns)] == [True, False, True]


def test_the_run_of_what_was_sent_is_requested_like_any_other(site):
    submit.submit(site.pipeline, SENT)

    (found,) = receive.wait_for_uploads(site.pipeline, seconds=5)

    assert found.id == ID


def test_of_a_disabled_provider_nothing_is_received(site):
    site.add_provider("gone", is_enabled=False)

    with pytest.raises(drop.ProviderDisabled):
        submit.submit(site.pipeline, dataclasses.replace(SENT, provider="gone"))

    assert list_claims(site) == []
    assert site.table("SELECT id FROM cvms.uploads").empty


def test_a_name_with_hidden_characters_is_shown_on_one_line(site):
    made = submit.submit(
        site.pipeline, dataclasses.replace(SENT, file_name="a\n\u202eb.csv")
    )

    assert made.file_name == r"a\x0a\u202eb.csv"


def test_the_audit_says_who_has_sent_it(site):
    submit.submit(site.pipeline.acting_as("portal:ann"), SENT)

    found = site.table("SELECT actor, details FROM cvms.audit WHERE upload_id = 'ID'"
                       .replace("'ID'", f"'{ID}'"))  # fmt: skip
    (entry,) = found.to_dict("records")
    assert entry["actor"] == "portal:ann"
    assert entry["details"] == {
        "lane": "low_volume",
        "bytes": len(DATA),
        "sent_from": "portal",
        "sent_by": ANNS_ACCOUNT,
    }


def test_what_the_database_could_not_register_is_received_later(site, monkeypatch):
    def fail(*_: object) -> None:
        raise engine.StoreAway

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "register", fail)
        with pytest.raises(engine.StoreAway):
            submit.submit(site.pipeline, SENT)

    site.take_in()  # whoever has sent it may still be at it
    assert list_claims(site) == [ID]
    site.clock.forward(seconds=11)
    (made,) = site.take_in()
    assert (made.id, made.sent_by) == (ID, ANNS_ACCOUNT)
    assert site.pipeline.archive.read(ID) == DATA
    assert list_claims(site) == []


def test_without_a_claim_the_next_call_receives_it(site, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(submitted.pauses, "pause", fail)
        with pytest.raises(access.DiskFull):
            submit.submit(site.pipeline, SENT)
    assert list_claims(site) == []

    assert submit.submit(site.pipeline, SENT).id == ID


def test_what_is_left_half_written_is_removed_after_two_minutes(site):
    half = site.pipeline.folders.claims / f".sent-{ID}.0123"
    half.mkdir(parents=True)
    (half / "original").write_bytes(DATA[:20])

    receive.receive(site.pipeline)
    assert half.exists()
    site.clock.forward(minutes=3)
    receive.receive(site.pipeline)

    assert not half.exists()
    assert site.table("SELECT id FROM cvms.uploads").empty
