import os

import pytest
import terminals

HEADER = "First name,Last name,Date of birth,Email"
ANN = "Ann,Lee,1/2/1990,ann@b.org"


def numbered(count):
    return [f"Ann{n},Lee,1/2/1990,a@b.org" for n in range(count)]


def test_a_good_file_is_accepted_with_every_fact_of_the_contract(alone):
    path = alone.file("good.csv", HEADER + ",Shoe size", ANN + ",7")

    ended = alone.cvms("check", path, "--json")

    assert (ended.code, ended.err) == (0, "")
    assert ended.json == {
        "file": str(path),
        "lane": "low_volume",
        "status": "accepted",
        "refusal": None,
        "encoding": "utf-8",
        "delimiter": ",",
        "rows": 1,
        "loadable": 1,
        "rejected": 0,
        "ignored_columns": ["Shoe size"],
        "rejections": [],
    }


def test_rejected_rows_have_line_codes_and_message(alone):
    path = alone.file("some.csv", HEADER, ANN, "", "An#,,1/2/90,x@", ANN)

    ended = alone.cvms("check", path, "--json")

    assert ended.code == 1
    assert (ended.json["rows"], ended.json["loadable"]) == (3, 1)
    assert ended.json["rejections"] == [
        {
            "line": 4,
            "codes": [
                "required-missing",
                "name-characters",
                "birth-date-invalid",
                "email-invalid",
            ],
            "message": "Line 4: Required fields are missing: [LastName];"
            " FirstName: invalid characters: An#;"
            " Date of birth: invalid Date of birth: 1/2/90;"
            " Email: invalid email address: x@",
        },
        {
            "line": 5,
            "codes": ["duplicate-in-file"],
            "message": "Line 5: Email: invalid email address: Duplicated ann@b.org"
            " (same person as line 2)",
        },
    ]


def test_a_refused_file_has_the_refusal_and_rows_that_are_not_known(alone):
    ended = alone.cvms("check", terminals.SAMPLES / "staff.xlsx", "--json")

    refusal = ended.json["refusal"]
    assert (ended.code, ended.json["status"]) == (2, "refused")
    assert refusal["code"] == "file-not-csv"
    assert "Save As" in refusal["message"]
    assert (ended.json["rows"], ended.json["rejections"]) == (None, [])


@pytest.mark.parametrize(
    ("rows", "lane"),
    [(100, "low_volume"), (101, "high_volume"), (5_000, "high_volume")],
)
def test_the_default_lane_is_the_smallest_one_that_accepts_the_file(alone, rows, lane):
    path = alone.file("staff.csv", HEADER, *numbered(rows))

    ended = alone.cvms("check", path, "--json")

    assert (ended.code, ended.json["lane"], ended.json["rows"]) == (0, lane, rows)


@pytest.mark.parametrize(
    ("rows", "lane"), [(101, "low_volume"), (5_001, "high_volume")]
)
def test_a_file_with_too_many_rows_for_its_lane_is_refused(alone, rows, lane):
    path = alone.file("staff.csv", HEADER, *numbered(rows))

    ended = alone.cvms("check", path, "--lane", lane, "--json")

    assert ended.code == 2
    assert ended.json["refusal"]["code"] == "too-many-rows"
    assert (ended.json["lane"], ended.json["rows"]) == (lane, rows)
    assert (ended.json["loadable"], ended.json["rejected"]) == (0, rows)
    assert f"Rows in file: {rows:,}" in alone.cvms("check", path, "--lane", lane).out


def test_a_file_over_the_limit_is_refused(alone, monkeypatch):
    monkeypatch.setenv("CVMS_MAX_BYTES", "62")
    at_limit = alone.file("at.csv", HEADER, "A,B,1/2/1990,a@b.org")
    over = alone.file("over.csv", HEADER, "Ann,B,1/2/1990,a@b.org")

    assert at_limit.stat().st_size <= 62 < over.stat().st_size <= 64
    assert alone.cvms("check", at_limit, "--json").code == 0
    ended = alone.cvms("check", over, "--json")
    assert (ended.code, ended.json["refusal"]["code"]) == (2, "file-too-large")


def folder(path):
    path.mkdir()


NO_FILES = [
    folder,
    os.mkfifo,  # opening it would wait for a writer
    lambda path: path.symlink_to("/dev/zero"),  # reading it would never end
    lambda path: path.symlink_to(path.parent),
]


@pytest.mark.parametrize("make", NO_FILES)
def test_anything_but_a_regular_file_is_refused_unopened(alone, make):
    make(alone.home / "odd.csv")

    ended = alone.cvms("check", alone.home / "odd.csv", "--json")

    assert (ended.code, ended.json["refusal"]["code"]) == (2, "not-a-file")


def test_a_link_to_a_file_is_refused_as_it_would_be_when_dropped(alone):
    (alone.home / "link.csv").symlink_to(alone.file("good.csv", HEADER, ANN))

    assert alone.cvms("check", alone.home / "link.csv").code == 2


def test_a_missing_file_is_reported_on_the_error_output(alone):
    ended = alone.cvms("check", alone.home / "gone.csv", "--json")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(
        f"Error: Cannot read {alone.home / 'gone.csv'}: No such"
    )


def test_a_wrong_setting_is_named_and_has_another_exit_code(alone, monkeypatch):
    monkeypatch.setenv("CVMS_MAX_BYTES", "many")

    ended = alone.cvms("check", alone.file("good.csv", HEADER, ANN))

    assert (ended.code, ended.out) == (2, "")
    assert "CVMS_MAX_BYTES" in ended.err
    assert "for example 10000000" in ended.err


def test_a_person_sees_the_numbers_the_lines_and_what_to_do(alone):
    path = alone.file("some.csv", HEADER, ANN, "An\x1b[31m#,Lee,1/2/1990,a@b.org")

    ended = alone.cvms("check", path)

    assert ended.code == 1
    assert "Would load    1" in ended.out
    assert "3  FirstName: invalid characters: An[31m#" in ended.out
    assert "Remove the characters that a name cannot hold in 1 row." in ended.out
    assert "\x1b" not in ended.out


def test_a_check_stores_nothing(alone):
    path = alone.file("good.csv", HEADER, ANN)

    alone.cvms("check", path)

    assert [each.name for each in alone.home.iterdir()] == ["good.csv"]
