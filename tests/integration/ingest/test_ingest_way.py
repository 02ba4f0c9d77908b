"""The way of an upload from its bytes to its report, without Dagster."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline import errors
from cvms_pipeline.domain import upload
from cvms_pipeline.files import archive
from cvms_pipeline.ingest import deliver, judge, load, publish, standing
from cvms_pipeline.store import uploads

GUIDE = Path(__file__).parents[2] / "unit" / "data" / "user_guide"
MENDED = "Cy,Lee,11/1/1991,cy@b.example.org"


def test_the_user_guide_s_files_give_its_own_report(site):
    site.bring((GUIDE / "preload.csv").read_bytes(), slug="mercy")

    upload_id = site.bring((GUIDE / "with_errors.csv").read_bytes())

    expected = (GUIDE / "expected_bulk_error.csv").read_bytes()
    report = site.pipeline.reports.read(upload_id)
    assert report.decode("utf-8-sig").split() == expected.decode("utf-8-sig").split()


def test_every_row_is_loaded_or_explained(site):
    upload_id = site.receive([ANN, BAD, ANN, BOB])

    loaded = site.process(upload_id)

    assert (loaded.outcome.rows, loaded.accounted_for) == (4, 4)
    assert (loaded.outcome.loaded, loaded.outcome.rejected) == (2, 2)
    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED_WITH_ERRORS
    assert site.results() == ["BulkError.csv", "receipt.txt"]


def test_running_it_again_changes_nothing(site):
    site.bring([ANN])
    upload_id = site.bring(["Ann,Lee,1/2/1990,new@b.example.org", BAD, BOB])
    deliver.invitations(site.pipeline, upload_id)
    before = site.everything()

    site.clock.forward(days=400)
    site.process(upload_id, run_id="another")
    deliver.invitations(site.pipeline, upload_id)

    assert site.everything() == before


def test_a_corrected_report_is_itself_an_upload(site):
    first = site.bring([ANN, BAD])
    report = site.pipeline.reports.read(first).decode("utf-8-sig")

    second = site.bring(report.replace("Cy,,13/1/", "Cy,Lee,11/1/").encode())

    assert site.upload(second).status is upload.UploadStatus.COMPLETED
    assert site.column("SELECT count(*) FROM cvms.recipients") == [2]


def test_birth_dates_are_judged_by_the_day_of_receipt(site):
    tomorrow = site.pipeline.today(site.clock()) + dt.timedelta(days=1)
    row = f"Ann,Lee,{tomorrow:%m/%d/%Y},ann@b.example.org"
    upload_id = site.receive([row])

    site.clock.forward(days=30)
    loaded = site.process(upload_id)

    assert loaded.outcome.reasons == {"birth-date-invalid": 1}


def test_a_refused_file_ends_with_a_notice_and_a_receipt_only(site):
    upload_id = site.bring(b"PK\x03\x04 a spreadsheet")

    ended = site.upload(upload_id)
    (notice,) = site.mail()
    assert ended.status is upload.UploadStatus.REFUSED
    assert (ended.rows, ended.loaded, ended.rejected) == (0, 0, 0)
    assert ended.refusal.message in notice.get_body(("plain",)).get_content().replace(
        "\n", " "
    )
    assert not list(notice.iter_attachments())
    assert site.results() == ["receipt.txt"]


def test_a_provider_s_mess_in_its_results_folder_is_no_fault_of_ours(site):
    results = site.pipeline.folders.root / "mercy" / "results"
    results.rmdir()
    results.write_text("a file")
    upload_id = site.receive([BAD])
    read = judge.read_rows(site.pipeline, upload_id, "run")
    judged = judge.validate_rows(site.pipeline, upload_id, read)
    decided = judge.find_duplicates(site.pipeline, upload_id, judged)
    load.load(site.pipeline, upload_id, decided)

    published = publish.publish(site.pipeline, upload_id)

    assert not published.is_beside_drop
    assert published.path.exists()


STEPS = ["read_rows", "validate_rows", "find_duplicates"]


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_made_can_be_made_again_from_the_archive(site, step):
    site.bring([ANN])
    upload_id = site.receive(["Ann,Lee,1/2/1990,new@b.example.org", BAD, BOB])
    made = judge.read_rows(site.pipeline, upload_id, "run")
    if step != "read_rows":
        made = judge.validate_rows(site.pipeline, upload_id, made)
    if step == "find_duplicates":
        made = judge.find_duplicates(site.pipeline, upload_id, made)

    again = judge.again(site.pipeline, upload_id, step)

    for name in ("cells", "values", "rejections", "plan"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))


def test_archived_bytes_that_have_changed_are_not_read_as_the_upload(site):
    upload_id = site.receive([ANN])
    path = site.pipeline.archive.path(upload_id)
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole.replace(b"Ann", b"Eve"))

    with pytest.raises(archive.ArchiveDamaged) as caught:
        judge.read_rows(site.pipeline, upload_id, "run")

    assert isinstance(caught.value, errors.PermanentError)
    assert str(caught.value) == (
        f"The archived bytes of {upload_id} are not those that were received."
        f" Bring {path} back from a backup, then run the upload again."
    )
    path.write_bytes(whole)
    assert site.process(upload_id).outcome.loaded == 1


def test_checking_a_file_loads_nothing_and_knows_who_is_stored(site):
    site.bring([ANN])
    before = site.everything()
    data = f"First name,Last name,Date of birth,Email\n{ANN}\n{BOB}\n{BOB}".encode()
    asked = {
        "lane": upload.Lane.LOW_VOLUME,
        "today": dt.date(2026, 1, 5),
        "max_bytes": 1000,
    }

    alone = judge.check(data, **asked)
    with_store = judge.check(data, **asked, pipeline=site.pipeline)

    assert alone.rejections["code"].tolist() == ["duplicate-in-file"]
    assert sorted(with_store.rejections["code"]) == [
        "duplicate-in-file",
        "duplicate-recipient",
    ]
    assert site.everything() == before


def test_an_upload_that_nobody_knows_is_said_to_be_unknown(site):
    with pytest.raises(uploads.UploadUnknown, match="'no-such'"):
        judge.read_rows(site.pipeline, "no-such", "run")


def test_a_failed_upload_stands_out_until_it_has_been_mended(site):
    upload_id = site.receive([ANN])
    judge.read_rows(site.pipeline, upload_id, "run")

    standing.mark_failed(site.pipeline, upload_id, run_id="run", job="process_upload")
    failed = standing.today(site.pipeline).failed
    assert [each.id for each in failed] == [upload_id]
    assert standing.failed_uploads(site.pipeline) == [upload_id]
    site.process(upload_id, run_id="again")

    assert standing.failed_uploads(site.pipeline) == []
    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED


# What mends an upload that was decided before its last run failed.
MENDERS = [publish.publish, deliver.notice, deliver.invitations]


@pytest.mark.parametrize("mend", MENDERS)
def test_a_step_after_loading_mends_a_failed_upload(site, mend):
    upload_id = site.bring([ANN, BAD])
    standing.mark_failed(site.pipeline, upload_id, run_id="r", job="send_notice")

    mend(site.pipeline, upload_id)

    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED_WITH_ERRORS


def test_today_s_standing_has_today_s_uploads_only(site):
    site.bring([ANN])
    site.clock.forward(days=1)
    upload_id = site.bring([BOB])

    stands = standing.today(site.pipeline)

    assert [each.id for each in stands.latest] == [upload_id]
    assert [(each.provider, each.uploads) for each in stands.providers] == [
        ("mercy", 1)
    ]
