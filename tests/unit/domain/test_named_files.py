"""Small files, each named after its defect, and the user guide's own example."""

import csv
from pathlib import Path

import pandas as pd
import sheets

from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reporting import error_report, outcome

DATA = Path(__file__).parents[1] / "data"
GUIDE = DATA / "user_guide"


def check(name):
    return sheets.plan((DATA / name).read_bytes())


def cells_of(data):
    return list(csv.reader(data.decode("utf-8-sig").splitlines()))


def test_excels_plain_csv_in_western_europe_is_read():
    sheet = check("cp1252.csv")

    assert (sheet.encoding, sheet.delimiter) == ("windows-1252", ";")
    assert sheet.valid_values["first_name"].tolist() == ["Renée", "Søren"]
    assert sheet.valid_values["last_name"].tolist() == ["Müller", "O’Neil"]
    assert len(sheet.plan) == 2


def test_a_quoted_line_break_does_not_shift_the_line_numbers():
    assert sheets.rejections_of(check("quoted_line_break.csv")) == [
        (4, "name-characters", "FirstName: invalid characters: Bob#")
    ]


def test_of_duplicates_in_one_file_the_first_loads():
    assert sheets.rejections_of(check("twins.csv")) == [
        (
            3,
            "duplicate-in-file",
            "Email: invalid email address: Duplicated twin@example.org (same person"
            " as line 2)",
        )
    ]


def test_a_comma_at_the_end_of_every_row_shifts_no_column():
    sheet = check("trailing_comma_on_every_row.csv")

    assert sheet.valid_values["first_name"].tolist() == ["Ann", "Bob"]
    assert len(sheet.plan) == 2


def test_words_such_as_null_are_accepted_as_names():
    assert len(check("names_that_look_missing.csv").plan) == 2


def test_the_user_guides_example_gives_exactly_its_report():
    preloaded = check("user_guide/preload.csv")
    known = duplicates.make_keys(preloaded.valid_values).loc[2]
    uploaded = sheets.validate((GUIDE / "with_errors.csv").read_bytes())
    keys = duplicates.make_keys(uploaded.valid_values)
    same = (keys["first_key"] == known["first_key"]) & (
        keys["last_key"] == known["last_key"]
    )
    matches = pd.DataFrame(
        {
            "recipient_id": "r1",
            "email": known["email_key"],
            "provider": "mercy",
            "is_registered": False,
            "upload": "preload",
            "source_line": 2,
        },
        index=keys.index[same],
    )

    decided = duplicates.plan_rows(uploaded, matches, provider="mercy", upload="errors")

    data = error_report.render_report(
        decided.cells, error_report.compose_messages(decided.rejections)
    )
    assert cells_of(data) == cells_of((GUIDE / "expected_bulk_error.csv").read_bytes())
    assert outcome.from_sheet(decided).rejected == 7
