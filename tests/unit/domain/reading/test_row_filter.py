"""Which rows count, and which lines broken quotation marks join."""

import pytest
import sheets
from hypothesis import given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.reading import row_filter
from cvms_pipeline.domain.vocabulary.upload import Lane

IGNORED = f"No.,{sheets.HEADER},Checked"
OTHER = "Omar,Stone,11/30/1964,omar@example.org"

BLANK = [
    "7,,,,,FALSE",
    "8, ,\u200b,,,0",
    ",,,,,TRUE",
    "9",  # a row number alone
    "10,,,,,,,",
]
FILLED = [
    ("7,,,,,FALSE,Rosa", "Row has 7 cells, expected 6"),  # beyond the header
    ('"7"x,,,,,', "Row has broken quotation marks"),
]
REPEATED = [",,1/0/1900,", ",,,0", "#N/A,,,", ",,,,"]
JOINED = [
    (
        '"Rosa,Field,4/5/1971,rosa@example.org\nOmar,Stone,11/30/1964,omar@example.org'
        '\nIda,Lake,2/3/1980,ida@example.org"',
        [2, 3, 4],
    ),
    ('Rosa,"Field,4/5/1971,rosa@example.org\nOmar,Stone",1/2/1964,o@b.org', [2, 3]),
    ('"Rosa,Field\r\n\r\nOmar,Stone"', [2, 4]),  # a blank line counts
    ('Rosa,Field,4/5/1971,"rosa@example.org\nOmar,Stone,1/2/1964,"', [2, 3]),
]


@pytest.mark.parametrize("row", BLANK)
def test_a_row_with_nothing_in_the_columns_of_the_upload_is_blank(row):
    sheet = sheets.validate(f"{IGNORED}\n1,{sheets.GOOD},x\n{row}\n2,{OTHER},x\n")

    assert sheet.valid_values.index.tolist() == [2, 4]
    assert sheet.rejections.empty


@pytest.mark.parametrize(("row", "text"), FILLED)
def test_a_row_with_something_that_is_in_no_column_is_rejected(row, text):
    sheet = sheets.validate(f"{IGNORED}\n{row}\n2,{OTHER},x\n")

    assert sheets.rejections_of(sheet) == [(2, "row-cells", text)]


def test_blank_rows_do_not_count_to_the_limit_of_a_lane():
    rows = [f"{n},{sheets.GOOD},TRUE\n{n},,,,,FALSE" for n in range(100)]

    sheet = sheets.read("\n".join([IGNORED, *rows]), Lane.LOW_VOLUME)

    assert len(sheet.cells) == 100


def test_a_file_of_blank_rows_is_empty():
    assert sheets.code_of(f"{IGNORED}\n" + "1,,,,,FALSE\n" * 200) == "file-empty"


def test_rows_that_repeat_a_single_value_are_left_out_and_reported_once():
    rows = [sheets.GOOD, *[",,1/0/1900,"] * 6_000, OTHER]

    sheet = sheets.validate(sheets.below_header(*rows))

    assert sheet.valid_values.index.tolist() == [2, 6_003]
    assert sheet.rejections.empty
    assert sheet.remarks == (
        "6,000 rows (lines 3 to 6002) were left out, because they hold nothing but"
        ' "1/0/1900" in Date of birth, which is what a dragged formula leaves.',
    )


# What somebody typed, which is in no sentence that is kept permanently.
TYPED = [",,4/5/1990,", "Ann,,,", ",,,ann@example.org"]


@pytest.mark.parametrize("row", TYPED)
def test_a_typed_value_that_is_repeated_is_not_named(row):
    sheet = sheets.validate(sheets.below_header(*[row] * 12, sheets.GOOD))

    (remark,) = sheet.remarks
    assert remark.startswith(
        "12 rows (lines 2 to 13) were left out, because they hold nothing but one and"
        " the same value in "
    )
    assert row.strip(",") not in remark


@pytest.mark.parametrize("count", [1, row_filter.MIN_REPEATED - 1])
def test_few_rows_with_the_same_single_value_are_rejected_in_order(count):
    rows = [*[",,1/0/1900,"] * count, sheets.GOOD]

    sheet = sheets.validate(sheets.below_header(*rows))

    assert sheet.cells.index.tolist() == list(range(2, count + 3))
    assert sorted(set(sheet.rejections["line"])) == list(range(2, count + 2))
    assert sheet.remarks == ()


@pytest.mark.parametrize("count", [row_filter.MIN_REPEATED, 200])
def test_many_rows_with_the_same_single_value_are_left_out(count):
    sheet = sheets.validate(sheets.below_header(*[",,,0"] * count, sheets.GOOD))

    assert sheet.cells.index.tolist() == [count + 2]
    assert len(sheet.remarks) == 1


def test_no_row_of_an_error_report_is_left_out():
    rows = ['x,,,,"Line 2: Row has 1 cell, expected 4"', ",,,,Line 3"] * 20

    sheet = sheets.validate("\n".join([f"{sheets.HEADER},Error", *rows]))

    assert (len(sheet.cells), sheet.remarks) == (40, ())


def test_rows_with_different_single_values_are_rejected():
    rows = [f",,{month}/1/1990," for month in range(1, 13)]

    sheet = sheets.validate(sheets.below_header(*rows))

    assert len(set(sheet.rejections["line"])) == 12


def test_many_short_rows_are_rejected():
    sheet = sheets.validate(sheets.below_header(*["x"] * 20))

    assert set(sheet.rejections["code"]) == {"row-cells"}


def test_more_single_values_than_are_kept_apart_are_rejected():
    rows = [f"a{n},,," for n in range(3_000)]

    sheet = sheets.read(sheets.below_header(*rows), Lane.HIGH_VOLUME)

    assert sheet.cells.index.tolist() == list(range(2, 3_002))


@pytest.mark.parametrize(("rows", "lines"), JOINED)
def test_each_line_that_a_quotation_mark_joins_is_rejected(rows, lines):
    sheet = sheets.validate(sheets.below_header(rows, sheets.GOOD))

    text = f"Row has broken quotation marks (lines {lines[0]} to {lines[-1]})"
    assert sheets.rejections_of(sheet) == [(n, "row-cells", text) for n in lines]
    assert sheet.valid_values.index.tolist() == [lines[-1] + 1]


def test_the_joined_lines_are_kept_as_they_were_written():
    sheet = sheets.read(sheets.below_header(JOINED[0][0]))

    assert sheet.cells.loc[2].tolist() == [
        *('"Rosa', "Field", "4/5/1971", "rosa@example.org")
    ]
    assert sheet.cells.loc[4, "email"] == 'ida@example.org"'


def test_a_line_break_and_commas_in_an_ignored_cell_join_nothing():
    note = '"called, left\na, b, c, d"'

    sheet = sheets.validate(
        f"{sheets.HEADER},Notes,More\n{sheets.GOOD},{note}\n{OTHER},x"
    )

    assert sheet.valid_values.index.tolist() == [2, 3]


def test_a_line_break_in_a_name_joins_nothing():
    sheet = sheets.validate(sheets.below_header('"Ann\nMary",Lee,1/2/1990,a@b.org'))

    assert sheet.valid_values.loc[2, "first_name"] == "Ann Mary"


def test_a_comma_and_a_line_break_in_a_name_of_a_whole_row_join_nothing():
    sheet = sheets.validate(sheets.below_header('"Ann,\nMary",Lee,1/2/1990,a@b.org'))

    assert sheets.rejections_of(sheet)[0][:2] == (2, "name-characters")


cells = st.text('ab,\n"', max_size=6).map(lambda text: text.strip('"'))


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(st.sampled_from([sheets.GOOD, OTHER]), min_size=1, max_size=6), st.data()
)
def test_every_line_is_loaded_or_rejected_wherever_quotation_marks_are(rows, draws):
    text = "\n".join(rows)
    places = draws.draw(st.lists(st.integers(0, len(text)), max_size=4))
    for place in sorted(places, reverse=True):
        text = text[:place] + '"' + text[place:]

    sheet = sheets.validate(sheets.below_header(text))

    assert sheet.cells.index.tolist() == list(range(2, len(rows) + 2))


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.lists(st.sampled_from([*REPEATED, sheets.GOOD, OTHER]), min_size=1, max_size=80)
)
def test_rows_that_are_left_out_are_all_reported(rows):
    sheet = sheets.read(sheets.below_header(*rows, OTHER))

    left_out = {row: rows.count(row) for row in REPEATED[:3]}
    reported = [n for n in left_out.values() if n >= row_filter.MIN_REPEATED]
    blank = rows.count(REPEATED[3])
    assert len(sheet.remarks) == len(reported)
    assert len(sheet.cells) == len(rows) + 1 - sum(reported) - blank
