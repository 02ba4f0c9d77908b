"""What has failed is told in the same words by every command."""

import pytest

from cvms_pipeline.domain.vocabulary import faults, upload
from cvms_pipeline.use_cases import process

FORBIDDEN = faults.TABLE_FORBIDDEN.describe("SQLSTATE 42501")
FULL = faults.DISK_FULL.describe("ENOSPC", place="/srv/work")


@pytest.fixture
def failed(pipeline, done) -> str:
    process.mark_failed(
        pipeline,
        done,
        run_id="the-run",
        job="process_upload",
        step="error_report",
        why=FORBIDDEN,
    )
    return done


def test_a_failed_upload_says_what_failed_and_what_to_do(terminal, failed):
    shown = terminal.cvms("upload", failed).out
    found = terminal.cvms("upload", failed, "--json").json

    assert f"Failed in the step error_report: {FORBIDDEN}\n" in shown
    assert (found["failed_step"], found["failure"]) == ("error_report", FORBIDDEN)
    assert found["run"] == "http://127.0.0.1:3000/runs/the-run"
    assert "http://127.0.0.1:3000/runs/the-run" in shown


def test_the_list_of_uploads_says_it_too(terminal, failed):
    shown = " ".join(terminal.cvms("uploads", "--status", "failed").out.split())

    assert "Failed in the step error_report: Permission denied" in shown


def test_the_state_of_the_installation_says_it_too(terminal, failed):
    ended = terminal.cvms("status", "--no-processes")

    assert ended.code == 1
    assert " ".join(ended.out.split()).startswith(
        "WARNING WARNING: 1 upload has failed; see `cvms uploads --status failed`."
        f" The last, {failed}: {FORBIDDEN} "
    )


def test_a_step_that_is_tried_again_says_why(terminal, pipeline, mercy, work):
    path = terminal.lane(mercy) / "staff.csv"
    path.write_text("First name,Last name,Date of birth,Email\n", encoding="utf-8")
    (upload_id,) = work()
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE cvms.uploads SET status = 'processing', finished_at = NULL"
        )
    process.note_retry(pipeline, upload_id, step="read_rows", error=errors_like(FULL))

    shown = terminal.cvms("upload", upload_id).out
    status = terminal.cvms("status", "--no-processes").out

    assert f"Being retried in the step read_rows: {FULL}\n" in shown
    assert f"why                   {FULL}" in status


def errors_like(text):
    from cvms_pipeline import errors

    return errors.TransientError(text)


def test_uploads_are_chosen_by_status_time_and_name(terminal, done):
    def listed(*words):
        return [each["id"] for each in terminal.cvms("uploads", *words, "--json").json]

    assert listed("--status", "completed_with_errors") == [done]
    assert listed("--status", "failed", "--status", "refused") == []
    assert listed("--since", "2025-01-01") == [done]
    assert listed("--since", "2999-01-01") == []
    assert listed("--file", "STAFF") == [done]
    assert listed("--file", "s%f") == []
    assert terminal.cvms("uploads", "--file", "none").out == "No such uploads.\n"


def test_an_upload_has_its_bytes_hash_encoding_report_and_invitations(
    terminal, done, mercy
):
    found = terminal.cvms("upload", done, "--json").json
    shown = terminal.cvms("upload", done).out

    assert (found["bytes"], found["encoding"]) == (199, "utf-8")
    assert len(found["sha256"]) == 64
    assert found["report"].endswith(f"{done}.csv") or done in found["report"]
    assert found["invitations"] == {"waiting": 2}
    assert found["run"] == "http://127.0.0.1:3000/runs/run"
    for fact in (found["sha256"], found["report"], found["run"], "2 waiting"):
        assert fact in shown
    assert upload.UploadStatus(found["status"]).is_finished


def test_times_have_their_zone(terminal, done):
    (line,) = [
        row
        for row in terminal.cvms("upload", done).out.splitlines()
        if "Received" in row
    ]

    assert line.split()[-1] == "UTC"


def test_recipients_are_found_by_their_address(terminal, done):
    def found(*words):
        rows = terminal.cvms("recipients", *words, "--json").json["recipients"]
        return [each["first_name"] for each in rows]

    assert found("ANN@b.example.org") == ["Ann"]
    assert found("bob@") == ["Bob"]
    assert found("ann", "bob@") == []
    assert found("%@") == []


# How many rows a file has, and its lane.
LANES = [(1, "low_volume"), (100, "low_volume"), (101, "high_volume")]


@pytest.mark.parametrize(("rows", "lane"), LANES)
def test_a_file_goes_into_the_lane_that_takes_it(terminal, mercy, rows, lane):
    people = [f"Nia,Lee{'a' * n},3/4/1991,n{n}@b.org" for n in range(rows)]
    path = terminal.file("a.csv", "First name,Last name,Date of birth,Email", *people)

    checked = terminal.cvms("check", path)
    ended = terminal.cvms("drop", path, "--provider", mercy, "--json")

    most = "100" if lane == "low_volume" else "5,000"
    assert f"Lane          {lane}, for up to {most} rows" in checked.out
    assert checked.out.endswith(
        f"It goes into the lane {lane}, or with: cvms drop {path} --provider SLUG\n"
    )
    assert (ended.code, ended.json["lane"]) == (0, lane)
    assert ended.err == f"The lane is {lane}, for up to {most} rows.\n"
    assert (terminal.lane(mercy, lane) / "a.csv").exists()
