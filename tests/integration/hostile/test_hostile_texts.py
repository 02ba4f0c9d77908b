"""What nobody writes by hand is told in few words, and read in little work."""

import sys
from pathlib import Path

import pytest
import sheets

from cvms_pipeline.domain import (
    cleaning,
    columns,
    reading,
    tokenising,
)

sys.path.append(str(Path(__file__).parents[3]))

from tests.fuzz import holding

# Texts on which a careless pattern takes time without end.
CATASTROPHES = [
    ("email", "a" * 30_000 + "@"),
    ("email", "a@" + "a-" * 15_000),
    ("email", "a@" + "a." * 15_000 + "!"),
    ("email", "a@" + ("a" * 63 + ".") * 400),
    ("email", "@" * 30_000),
    ("first", "'" * 30_000),
    ("first", "a\u0301" * 15_000),
    ("first", "\ufdfa" * 30_000),  # 18 characters each, once normalised
    ("first", " \u200b" * 15_000 + "#"),
    ("born", "/" * 30_000),
    ("born", "1/" * 15_000),
    ("born", "9" * 30_000),
]


@pytest.mark.parametrize(("column", "value"), CATASTROPHES)
def test_no_value_takes_time_without_end(column, value):
    told = sheets.judged_rows(column, [value] * 5)

    assert {len(text) <= holding.MAX_TEXT for _, text in told} == {True}


def test_a_value_is_cut_where_no_right_one_is_as_long():
    longest = "x" * 320

    kept, cut = sheets.judged_rows("email", [longest, longest + "y"])

    assert kept[1] == f"Email: invalid email address: {longest}"
    assert cut[1] == f"Email: invalid email address: {longest[:-1]}…"


def test_a_cell_is_kept_as_long_as_a_spreadsheet_s():
    longest = "x" * reading.MAX_CELL_LENGTH

    sheet = sheets.read(sheets.below_header(f"{longest},{longest}y,,"))

    assert sheet.cells.loc[2].tolist() == [longest, longest[:-1] + "…", "", ""]


def test_columns_beyond_those_of_a_spreadsheet_are_not_looked_at():
    most = tokenising.MAX_CELLS
    fits = "," * (most - 4) + sheets.HEADER
    too_far = "," * (most - 3) + sheets.HEADER

    assert sheets.code_of(f"{fits}\n{',' * (most - 4)}{sheets.GOOD}") is None
    assert sheets.code_of(f"{too_far}\n{',' * (most - 3)}{sheets.GOOD}") == (
        "header-missing"
    )


def test_a_row_of_absurd_width_is_told_so():
    row = sheets.GOOD + ",x" * tokenising.MAX_CELLS

    (told,) = sheets.told(sheets.judge(sheets.below_header(row)))

    assert told[2] == "Row has more than 16,384 cells, expected 4"


def test_empty_cells_at_the_end_are_fine_however_many():
    row = sheets.GOOD + "," * tokenising.MAX_CELLS * 2

    assert len(sheets.judge(sheets.below_header(row, f'"",{row}')).valid) == 1


def test_of_endless_unknown_columns_the_first_are_named():
    names = [f"column {n}" for n in range(columns.MAX_IGNORED + 1)]

    all_named = columns.match([*columns.TEMPLATE_HEADER, *names[:-1]]).ignored
    cut = columns.match([*columns.TEMPLATE_HEADER, *names, "x" * 200]).ignored

    assert list(all_named) == names[:-1]
    assert list(cut) == [*names[:-1], "…"]


def test_a_long_name_of_an_unknown_column_is_cut():
    (name,) = columns.match([*columns.TEMPLATE_HEADER, "x" * 200]).ignored

    assert name == "x" * 99 + "…"


def test_a_cell_of_absurd_length_is_cleaned_at_its_ends_only():
    inside = "a  b" * cleaning.MAX_CLEANED

    assert cleaning.clean_text(f" \u200b{inside}\xa0") == inside
