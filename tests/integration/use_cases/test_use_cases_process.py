"""The way of an upload from its bytes to its report, without Dagster."""

import csv
import datetime as dt
from concurrent import futures
from pathlib import Path

import pandas as pd
import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import archive
from cvms_pipeline.store import loading, uploads
from cvms_pipeline.use_cases import deliver, history, process, publish

GUIDE = Path(__file__).parents[2] / "unit" / "data" / "user_guide"
WAITING = """SELECT 1 FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""
MENDED = "Cy,Lee,11/1/1991,cy@b.example.org"


def read_cells(report):
    return list(csv.reader(report.decode("utf-8-sig").splitlines()))


def test_the_files_of_the_user_guide_give_its_report(site):
    site.bring((GUIDE / "preload.csv").read_bytes(), slug="mercy")

    upload_id = site.bring((GUIDE / "with_errors.csv").read_bytes())

    expected = (GUIDE / "expected_bulk_error.csv").read_bytes()
    report = site.pipeline.reports.read(upload_id)
    assert read_cells(report) == read_cells(expected)


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
    deliver.send_invitations(site.pipeline, upload_id)
    before = site.everything()

    site.clock.forward(days=400)
    site.process(upload_id, run_id="another")
    deliver.send_invitations(site.pipeline, upload_id)

    assert site.everything() == before


def test_two_runs_at_once_load_an_upload_once(site):
    pipeline, upload_id = site.pipeline, site.receive([ANN, BAD])
    read = process.read_rows(pipeline, upload_id, "run").sheet
    judged = process.validate_rows(pipeline, upload_id, read)
    planned = process.find_duplicates(pipeline, upload_id, judged)

    with futures.ThreadPoolExecutor() as executor:
        with pipeline.store.begin() as conn:
            first = uploads.lock(conn, upload_id)
            facts = {"now": site.clock(), "data_ops": pipeline.data_ops}
            outcome = loading.load(conn, first, planned, **facts)
            second = executor.submit(process.load, pipeline, upload_id, planned)
            while not site.column(WAITING):
                assert not second.done()
        assert second.result().outcome == outcome

    assert site.column("SELECT count(*) FROM cvms.rejected_rows") == [1]
    assert site.column("SELECT count(*) FROM cvms.messages") == [2]


def test_a_corrected_report_is_itself_an_upload(site):
    first = site.bring([ANN, BAD])
    header, bad = read_cells(site.pipeline.reports.read(first))
    corrected = [",".join(header), f'{MENDED},"{bad[-1]}"', ""]

    second = site.bring("\r\n".join(corrected).encode())

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


def test_a_results_folder_that_became_a_file_fails_no_run(site):
    results = site.pipeline.folders.root / "mercy" / "results"
    results.rmdir()
    results.write_text("a file")
    upload_id = site.receive([BAD])
    read = process.read_rows(site.pipeline, upload_id, "run").sheet
    judged = process.validate_rows(site.pipeline, upload_id, read)
    decided = process.find_duplicates(site.pipeline, upload_id, judged)
    process.load(site.pipeline, upload_id, decided)

    published = publish.publish(site.pipeline, upload_id)

    assert not published.is_in_results
    assert published.path.exists()


STEPS = ["read_rows", "validate_rows", "find_duplicates"]


@pytest.mark.parametrize("step", STEPS)
def test_the_result_of_a_step_can_be_made_again_from_the_archive(site, step):
    site.bring([ANN])
    upload_id = site.receive(["Ann,Lee,1/2/1990,new@b.example.org", BAD, BOB])
    made = process.read_rows(site.pipeline, upload_id, "run").sheet
    if step != "read_rows":
        made = process.validate_rows(site.pipeline, upload_id, made)
    if step == "find_duplicates":
        made = process.find_duplicates(site.pipeline, upload_id, made)

    again = process.repeat(site.pipeline, upload_id, step)

    for name in ("cells", "values", "rejections", "plan"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))


def test_archived_bytes_that_have_changed_are_not_read_as_the_upload(site):
    upload_id = site.receive([ANN])
    path = site.pipeline.archive.path(upload_id)
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole.replace(b"Ann", b"Eve"))

    with pytest.raises(archive.ArchiveDamaged) as caught:
        process.read_rows(site.pipeline, upload_id, "run")

    assert isinstance(caught.value, errors.PermanentError)
    assert str(caught.value) == (
        f"The archived file {path} does not have the bytes that were received. Copy"
        " it from a backup to this path, then re-execute from failure."
    )
    path.write_bytes(whole)
    assert site.process(upload_id).outcome.loaded == 1


def test_an_unknown_upload_is_reported_as_unknown(site):
    with pytest.raises(uploads.UploadUnknown, match="'no-such'"):
        process.read_rows(site.pipeline, "no-such", "run")


def test_a_failed_upload_is_listed_until_it_has_succeeded(site):
    upload_id = site.receive([ANN])
    process.read_rows(site.pipeline, upload_id, "run")

    process.mark_failed(site.pipeline, upload_id, run_id="run", job="process_upload")
    failed = history.read_overview(site.pipeline).failed
    assert [each.id for each in failed] == [upload_id]
    assert process.list_failed(site.pipeline) == [upload_id]
    site.process(upload_id, run_id="again")

    assert process.list_failed(site.pipeline) == []
    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED


# What mends an upload that was decided before its last run failed.
MENDERS = [publish.publish, deliver.send_notice, deliver.send_invitations]


@pytest.mark.parametrize("mend", MENDERS)
def test_a_step_after_loading_mends_a_failed_upload(site, mend):
    upload_id = site.bring([ANN, BAD])
    process.mark_failed(site.pipeline, upload_id, run_id="r", job="send_notice")

    mend(site.pipeline, upload_id)

    assert site.upload(upload_id).status is upload.UploadStatus.COMPLETED_WITH_ERRORS


def test_the_overview_of_today_has_only_the_uploads_of_today(site):
    site.bring([ANN])
    site.clock.forward(days=1)
    upload_id = site.bring([BOB])

    stands = history.read_overview(site.pipeline)

    assert [each.id for each in stands.latest] == [upload_id]
    assert [(each.provider, each.uploads) for each in stands.providers] == [
        ("mercy", 1)
    ]
