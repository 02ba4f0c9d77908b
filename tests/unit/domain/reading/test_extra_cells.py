"""Cells in no known column: kept, explained, and ignored once they have been moved."""

import csv
import io

import pytest
import sheets

RUFUS = "Rufus,Marsh, Jr.,4/11/1961,rufus@example.org"
WIDE = "Row has 5 cells, expected 4"

# What is written, and the text that it gets.
EXPLAINED = [
    (
        RUFUS,
        f'{WIDE}, because of the comma in "Marsh, Jr.": write Marsh Jr. without the'
        " comma",
    ),
    (
        "Rufus, Jr.,Marsh,4/11/1961,rufus@example.org",
        f'{WIDE}, because of the comma in "Rufus, Jr.": write Rufus Jr. without the'
        " comma",
    ),
    (
        "Rufus,Marsh,III,4/11/1961,rufus@example.org",
        f'{WIDE}, because of the comma in "Marsh, III": write Marsh III without the'
        " comma",
    ),
    (
        "Ann, Marie,Lee,1/2/1990,ann@example.org",  # the space shows where
        f'{WIDE}, because of the comma in "Ann, Marie": write Ann Marie without the'
        " comma",
    ),
    (
        "Ann,Marie,Lee,1/2/1990,ann@example.org",
        f"{WIDE}, probably because of a comma in a name: write the name without the"
        " comma",
    ),
    ("Ann,Lee,1/2/1990,ann@example.org,note", WIDE),  # beyond the address
    ("Ann,Lee,Boston,1/2/1990,ann@example,org", "Row has 6 cells, expected 4"),
    ("Ann,7,Lee,1/2/1990,ann@example.org", WIDE),  # no name
    ("Ann,,Lee,1/2/1990,ann@example.org", WIDE),
]


@pytest.mark.parametrize(("row", "text"), EXPLAINED)
def test_a_row_with_too_many_cells_is_explained(row, text):
    sheet = sheets.validate(sheets.below_header(row))

    assert sheets.rejections_of(sheet) == [(2, "row-cells", text)]


def test_another_delimiter_in_a_name_is_called_by_its_name():
    header = "DOB;Email;First name;Last name"

    sheet = sheets.validate(f"{header}\n4/11/1961;rufus@example.org;Rufus;Marsh; Jr.")

    assert sheets.rejections_of(sheet) == [
        (
            2,
            "row-cells",
            'Row has 5 cells, expected 4, because of the semicolon in "Marsh; Jr.":'
            " write Marsh Jr. without the semicolon",
        )
    ]


def report_rows(text):
    data = sheets.report_of(sheets.validate(text)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(data, newline="")))


def test_the_report_has_every_cell_behind_the_error():
    header, rufus, ann = report_rows(
        sheets.below_header(RUFUS, "Ann#,Lee,1/2/1990,ann@example.org")
    )

    assert header == [
        *("FirstName", "LastName", "Date of birth", "Email", "Error", "Extra 1")
    ]
    assert rufus[:4] == ["Rufus", "Marsh", " Jr.", "4/11/1961"]
    assert rufus[5:] == ["rufus@example.org"]
    assert len(ann) == 5


def test_without_extra_cells_the_report_has_no_such_column():
    header, *_ = report_rows(sheets.below_header("Ann#,Lee,1/2/1990,ann@example.org"))

    assert header[-1] == "Error"


# Files with a row that lost cells, and the extra cells of its report.
SHIFTED = [
    # an ignored column at the end holds the address
    (
        "First name,Last name,DOB,Email,Dept\nRufus,Marsh, Jr.,4/11/1961,r@b.org,HR",
        ["r@b.org", "HR"],
    ),
    # one in between holds a part of the name
    (
        "First name,Last name,Dept,DOB,Email\nRufus,Marsh, Jr.,HR,4/11/1961,r@b.org",
        [" Jr.", "r@b.org"],
    ),
    # too few cells: one in between holds the birth date
    (
        "First name,Last name,Dept,DOB,Email\nRufus,Marsh,4/11/1961,r@b.org",
        ["4/11/1961"],
    ),
    # a broken quotation mark, and a comma
    (sheets.below_header('"Rufus,Marsh, Jr.,4/11/1961,r@b.org'), ["r@b.org"]),
    # blank cells in between, and at the end
    (sheets.below_header("a,b,c,d,,f,,"), ["", "f"]),
    # a formula
    (sheets.below_header("a,b,c,d,=1+1"), ["'=1+1"]),
]


@pytest.mark.parametrize(("text", "extra"), SHIFTED)
def test_no_cell_is_lost_that_was_in_no_known_column(text, extra):
    _, row = report_rows(text)

    assert row[5:] == extra


def test_an_ignored_column_of_a_row_in_its_shape_is_not_in_the_report():
    _, row = report_rows(
        "First name,Last name,DOB,Email,Dept\nRufus#,Marsh,4/11/1961,r@b.org,HR"
    )

    assert len(row) == 5


def test_letters_that_cannot_be_read_are_lost_in_extra_cells_too():
    data = sheets.below_header("Ann,Lee,1/2/1990,a@b.org,Jos\xe9,\xd0\xfe").encode(
        "latin-1"
    )

    sheet = sheets.read(data + b"\nDvo\xf8\xe1k,Lee,1/2/1990,a@b.org")

    assert sheet.extras.loc[2, "cells"] == '["Jos\ufffd", "\ufffd\ufffd"]'


REPORT = "FirstName,LastName,Date of birth,Email,Error,Extra 1,Extra 2"

# Rows of a report that are corrected, with what is left in the extra columns.
CORRECTED = [
    "Rufus,Marsh Jr.,4/11/1961,rufus@example.org,Line 9: x,rufus@example.org",
    "Rufus,Marsh Jr.,4/11/1961,rufus@example.org,Line 9: x,RUFUS@example.org ,x",
    "Rufus,Marsh Jr,4/11/1961,rufus@example.org,Line 9: x, Jr.",
    "Rufus,Marsh Jr.,4/11/1961,rufus@example.org,Line 9: x,,",
    "Rufus,Marsh Jr.,4/11/1961,rufus@example.org,Line 9: x",
]


@pytest.mark.parametrize("row", CORRECTED)
def test_extra_cells_of_a_corrected_row_are_ignored(row):
    sheet = sheets.validate(f"{REPORT}\n{row}")

    assert sheet.valid_values.index.tolist() == [2]
    assert sheet.ignored_columns == ()


def test_a_row_with_extra_cells_that_were_not_moved_is_not_loaded():
    names_last = "1/2/1990,a@b.org,Ann,Marsh, Jr."
    first = sheets.validate(f"DOB,Email,First name,Last name\n{names_last}")

    again = sheets.validate(sheets.report_of(first))

    assert sheets.rejections_of(again) == [
        (
            2,
            "row-cells",
            "Row has 5 cells, expected 4; move what is in the columns Extra to where it"
            " belongs, or remove it",
        )
    ]


def test_a_column_called_extra_is_an_ignored_one_in_other_files():
    sheet = sheets.validate(f"{sheets.HEADER},Extra 1\n{sheets.GOOD},x")

    assert sheet.valid_values.index.tolist() == [2]
    assert sheet.ignored_columns == ("Extra 1",)


def test_a_row_wider_than_any_spreadsheet_makes_a_report_that_is_not():
    _, row = report_rows(sheets.below_header(",".join("x" * 20_000)))

    assert len(row) == 16_384
