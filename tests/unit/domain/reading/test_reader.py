"""Refusals of whole files, the shape of rows, and the cells as they were written."""

import pytest
import sheets

from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.vocabulary import columns
from cvms_pipeline.domain.vocabulary.upload import Lane

ROW_CELLS = [
    ("a,b,c,d,e,f", "Row has 6 cells, expected 4"),
    ("a,b,c,d,,f,,", "Row has 6 cells, expected 4"),  # empty ones at the end
    ("a,b,c", "Row has 3 cells, expected 4"),
    ("a", "Row has 1 cell, expected 4"),
    ('"a"b,c,d,e', "Row has broken quotation marks"),
    ('a,b,c,"d', "Row has broken quotation marks"),
    ('"a"b', "Row has broken quotation marks"),  # too short as well
]
WHOLE = [
    "a,b,c,d",
    "a,b,c,d,,,,",
    "a,b,c,d, ,\u200b",  # blank cells beyond the header
    "a,b,c,",
    ",,,d",
]


@pytest.mark.parametrize(("row", "text"), ROW_CELLS)
def test_a_row_of_a_wrong_shape_gets_one_reason(row, text):
    validated = sheets.validate(sheets.below_header(row, sheets.GOOD))

    assert sheets.rejections_of(validated)[0] == (2, "row-cells", text)
    assert validated.rejections["line"].tolist() in ([2], [2, 3])


@pytest.mark.parametrize("row", ROW_CELLS)
def test_the_rows_below_a_broken_row_are_read(row):
    validated = sheets.validate(sheets.below_header(row[0], sheets.GOOD))

    assert validated.valid_values.index.tolist() == [3]


@pytest.mark.parametrize("row", WHOLE)
def test_empty_cells_at_the_end_are_fine(row):
    assert len(sheets.read(sheets.below_header(row)).rejections) == 0


def test_a_value_below_an_unnamed_column_is_ignored():
    sheet = sheets.read(f"{sheets.HEADER},,\n{sheets.GOOD},x,y\n{sheets.GOOD},x,y,z")

    assert sheets.rejections_of(sheet) == [
        (3, "row-cells", "Row has 7 cells, expected 4")
    ]


def test_a_row_may_end_before_a_column_that_is_not_required():
    sheet = sheets.read(f"{sheets.HEADER},Notes,More\n{sheets.GOOD}")

    assert len(sheet.rejections) == 0
    assert sheet.ignored_columns == ("Notes", "More")


def test_a_row_of_the_wrong_width_keeps_the_cells_of_its_columns():
    sheet = sheets.read('Email,DOB,Surname,Given name\na@b.org,1/2/1990\n"x"y,z')

    assert sheet.cells.loc[2].tolist() == ["", "", "1/2/1990", "a@b.org"]
    assert sheet.cells.loc[3].tolist() == ["", "", "z", '"x"y']


def test_cells_are_kept_as_written_and_values_are_cleaned():
    sheet = sheets.read(sheets.below_header('" Ann ","Le\ne",1/2/1990 ,a@b.org'))

    assert sheet.cells.loc[2].tolist() == [" Ann ", "Le\ne", "1/2/1990 ", "a@b.org"]
    assert sheet.values.loc[2].tolist() == ["Ann", "Le e", "1/2/1990", "a@b.org"]


def test_lines_count_blank_rows_above_and_below_the_header():
    sheet = sheets.read(f"\n,,\n{sheets.HEADER}\n\n{sheets.GOOD}\n , \n{sheets.GOOD}")

    assert sheet.cells.index.tolist() == [5, 7]


def test_the_apostrophe_before_a_formula_is_removed_once():
    sheet = sheets.read(sheets.below_header("'=1,''-x,'Ann,'+1"))

    assert sheet.cells.loc[2].tolist() == ["=1", "'-x", "'Ann", "+1"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_recorded(delimiter):
    data = sheets.below_header(sheets.GOOD).replace(",", delimiter)

    sheet = sheets.read(data)

    assert sheet.delimiter == delimiter
    assert len(sheets.validate(data).valid_values) == 1


def test_a_header_without_all_columns_is_refused_with_the_columns_found():
    refusal = sheets.read("Name,Email,,Day\u202a\x07\nAnn,a@b.org,,1").refusal

    assert refusal.code == "header-missing"
    assert refusal.message == (
        "Columns FirstName, LastName, Date of birth were not found in the first row,"
        r" which is: Name, Email, (empty), Day. Use the header of the template:"
        " First name,Last name,Date of birth,Email"
    )


def test_one_missing_column_is_named_in_the_singular():
    refusal = sheets.read("First name,Last name,DOB\nAnn,Lee,1/2/1990").refusal

    assert refusal.message.startswith("Column Email was not found in the first row")


def test_a_very_long_header_is_shortened_in_the_message():
    refusal = sheets.read("x" * 10_000 + ",y" * 10_000).refusal

    assert "x" * 40 + "…, y, " in refusal.message
    assert " and 9,989 more." in refusal.message
    assert len(refusal.message) < 300


def test_a_header_with_broken_quotes_names_no_columns():
    assert sheets.code_of(f'"x"{sheets.HEADER}\n{sheets.GOOD}') == "header-missing"


def test_a_column_that_appears_twice_is_refused():
    refusal = sheets.read(f"{sheets.HEADER},Surname,E-mail\n").refusal

    assert refusal.code == "header-duplicate"
    assert refusal.message == (
        "Columns LastName, Email were found more than once in the first row. Keep one"
        " column of each and upload the file again."
    )


@pytest.mark.parametrize(
    ("lane", "rows"), [(Lane.LOW_VOLUME, 100), (Lane.HIGH_VOLUME, 5_000)]
)
def test_a_file_may_have_as_many_rows_as_its_lane_accepts(lane, rows):
    blank_and_good = ["", sheets.GOOD] * rows

    sheet = sheets.read(sheets.below_header(*blank_and_good), lane)

    assert len(sheet.values) == rows


@pytest.mark.parametrize(
    ("lane", "rows", "message"),
    [
        (
            Lane.LOW_VOLUME,
            101,
            "The file has 101 rows; the low_volume folder takes at most 100. Drop it"
            " into the high_volume folder.",
        ),
        (
            Lane.LOW_VOLUME,
            5_001,
            "The file has 5,001 rows; the low_volume folder takes at most 100. Split"
            " it into 2 files of at most 5,000 rows, each with the header, and drop"
            " them into the high_volume folder.",
        ),
        (
            Lane.HIGH_VOLUME,
            10_001,
            "The file has 10,001 rows; the high_volume folder takes at most 5,000."
            " Split it into 3 files of at most 5,000 rows, each with the header.",
        ),
        (
            Lane.HIGH_VOLUME,
            100_001,
            "The file has at least 100,001 rows; the high_volume folder takes at most"
            " 5,000. Split it into at least 21 files of at most 5,000 rows, each with"
            " the header.",
        ),
    ],
)
def test_the_refusal_of_too_many_rows_names_the_lane_that_fits(lane, rows, message):
    refusal = sheets.read(f"{sheets.HEADER}\n" + "x\n" * rows, lane).refusal

    assert (refusal.code, refusal.message) == ("too-many-rows", message)


def test_a_refused_sheet_has_no_rows_and_keeps_the_known_facts():
    sheet = sheets.read("a;b;Notes\n1;2;3")

    assert (sheet.encoding, sheet.delimiter) == ("utf-8", ";")
    assert (len(sheet.cells), len(sheet.values), len(sheet.plan)) == (0, 0, 0)
    assert list(sheet.cells) == list(columns.NAMES)


def test_an_empty_sheet_has_no_refusal():
    assert sheet.make_empty().refusal is None


@pytest.mark.parametrize("rosa", ['="Rosa"', '"=""Rosa"""', "Rosa"])
def test_a_formula_of_only_a_text_is_read_and_reported_as_it_was_written(rosa):
    found = sheets.read(sheets.below_header(f"{rosa},Field,4/5/1971,a@b.org"))

    assert found.values["first_name"].tolist() == ["Rosa"]
    assert found.cells["first_name"].tolist() == [
        "Rosa" if rosa == "Rosa" else '="Rosa"'
    ]


# A refused file, and how many rows it has as far as that is known.
REFUSED = [
    (sheets.below_header(*[sheets.GOOD] * 101), 101),
    (b"First name,Last name,DOB\nAnn,Lee,1/2/1990\n\nBob,Lee,1/2/1990\n", 2),
    (sheets.HEADER.encode() + b",Email\nAnn,Lee,1/2/1990,a@b.org,a@b.org\n", 1),
    (b"Ann,Lee,1/2/1990,a@b.org\nBob,Lee,1/2/1990,b@b.org\n", None),  # no header
    (b"PK\x03\x04 a spreadsheet", None),
    (sheets.below_header(*["a,b,c,d"] * 100_001), None),  # too many to count
    (sheets.below_header(), 0),
    (b"", 0),
]


@pytest.mark.parametrize(("data", "rows"), REFUSED)
def test_the_rows_of_a_refused_file_are_counted_where_that_is_possible(data, rows):
    refused = sheets.read(data)

    assert refused.refusal is not None
    assert refused.refused_rows == rows
