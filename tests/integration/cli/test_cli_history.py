import codecs

import pytest


def test_uploads_are_listed_latest_first(terminal, done, mercy, work):
    (terminal.lane(mercy) / "empty.csv").write_bytes(b"")
    (later,) = work()

    listed = terminal.cvms("uploads", "--json").json

    assert [each["id"] for each in listed] == [later, done]
    assert listed[0]["refusal"]["code"] == "file-empty"
    assert listed[1]["reasons"] == {"birth-date-invalid": 1, "name-characters": 1,
                                    "duplicate-in-file": 1}  # fmt: skip


def test_the_uploads_of_another_provider_are_left_out(terminal, done):
    assert terminal.cvms("uploads", "--provider", "duke", "--json").json == []
    none = terminal.cvms("uploads", "--provider", "duke").out
    assert none == "No uploads of that provider.\n"


def test_where_there_are_no_uploads_the_next_step_is_told(terminal):
    assert "cvms drop --help" in terminal.cvms("uploads").out


def test_a_person_sees_uploads_with_their_counts(terminal, done):
    row = next(r for r in terminal.cvms("uploads").out.splitlines() if done in r)

    assert row.split() == [done, "completed", "4", "2", "0", "2"]


def test_one_upload_has_every_fact_of_the_contract(terminal, done, mercy):
    found = terminal.cvms("upload", done, "--json").json

    assert found.pop("received_at") <= found.pop("finished_at")
    assert found == {
        "id": done,
        "provider": mercy,
        "lane": "low_volume",
        "file_name": "staff.csv",
        "status": "completed_with_errors",
        "refusal": None,
        "rows": 4,
        "loaded": 2,
        "updated": 0,
        "rejected": 2,
        "reasons": {
            "name-characters": 1,
            "birth-date-invalid": 1,
            "duplicate-in-file": 1,
        },
        "rejections": [
            {
                "line": 4,
                "codes": ["name-characters", "birth-date-invalid"],
                "message": "Line 4: FirstName: invalid characters: =Cy;"
                " Date of birth: invalid Date of birth: 13/1/1991",
            },
            {
                "line": 5,
                "codes": ["duplicate-in-file"],
                "message": "Line 5: Email: invalid email address: Duplicated"
                " other@b.example.org (same person as line 2)",
            },
        ],
    }


def test_a_person_sees_an_upload_with_what_to_do(terminal, done):
    ended = terminal.cvms("upload", done)

    assert "Remove 1 row that repeats an earlier row of the file." in ended.out
    assert f"cvms report {done} BulkError.csv" in ended.out


@pytest.mark.parametrize("command", ["upload", "report"])
def test_an_unknown_upload_is_told_with_where_to_look(terminal, command):
    ended = terminal.cvms(command, "20260301-120000-nothing2")

    assert (ended.code, ended.out) == (1, "")
    assert "cvms uploads" in ended.err


def test_the_error_report_is_the_one_the_provider_got(terminal, done, mercy):
    (published,) = terminal.lane(mercy, "results").glob("*/BulkError.csv")
    path = terminal.home / "again.csv"

    ended = terminal.cvms("report", done, path)

    assert ended.code == 0
    assert path.read_bytes() == published.read_bytes()
    assert path.read_bytes().startswith(codecs.BOM_UTF8 + b"FirstName,")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_error_report_goes_to_standard_output_without_a_path(terminal, done):
    ended = terminal.cvms("report", done)

    assert "'=Cy,Lee,13/1/1991" in ended.out
    assert ended.out == terminal.cvms("report", done, "-").out


def test_a_file_that_is_there_is_replaced_only_by_force(terminal, done):
    path = terminal.file("mine.csv", "mine")

    ended = terminal.cvms("report", done, path)

    assert (ended.code, path.read_text()) == (1, "mine")
    assert "--force" in ended.err
    assert terminal.cvms("report", done, path, "--force").code == 0
    assert path.read_bytes().startswith(codecs.BOM_UTF8)


def test_an_upload_without_rejected_rows_has_no_report(terminal, mercy, work):
    (terminal.lane(mercy) / "empty.csv").write_bytes(b"")
    (upload_id,) = work()

    ended = terminal.cvms("report", upload_id, terminal.home / "none.csv")

    assert ended.code == 1
    assert "has no error report: its status is refused" in ended.err
    assert not (terminal.home / "none.csv").exists()


def test_the_template_is_the_header_alone(alone):
    path = alone.home / "template.csv"

    assert alone.cvms("template", path).code == 0
    assert path.read_bytes() == b"First name,Last name,Date of birth,Email\r\n"
    assert alone.cvms("template").out.strip() == path.read_text().strip()
