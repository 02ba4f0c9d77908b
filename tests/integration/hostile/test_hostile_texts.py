"""Unusual texts get short messages, and are read in little time."""

import pytest
import sheets

from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.vocabulary import columns
from tests.fuzz import invariants

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
def test_every_value_is_validated_in_limited_time(column, value):
    found = sheets.reasons_in_rows(column, [value] * 5)

    assert {len(text) <= invariants.MAX_TEXT for _, text in found} == {True}


def test_a_value_is_cut_beyond_the_length_of_any_valid_one():
    longest = "x" * 320

    kept, cut = sheets.reasons_in_rows("email", [longest, longest + "y"])

    assert kept[1] == f"Email: invalid email address: {longest}"
    assert cut[1] == f"Email: invalid email address: {longest[:-1]}…"


def test_a_cell_is_kept_up_to_the_length_that_a_spreadsheet_allows():
    longest = "x" * reader.MAX_CELL_LENGTH

    sheet = sheets.read(sheets.below_header(f"{longest},{longest}y,,"))

    assert sheet.cells.loc[2].tolist() == [longest, longest[:-1] + "…", "", ""]


def test_columns_beyond_those_of_a_spreadsheet_are_ignored():
    most = columns.MAX_CELLS
    fits = "," * (most - 4) + sheets.HEADER
    too_far = "," * (most - 3) + sheets.HEADER

    assert sheets.code_of(f"{fits}\n{',' * (most - 4)}{sheets.GOOD}") is None
    assert sheets.code_of(f"{too_far}\n{',' * (most - 3)}{sheets.GOOD}") == (
        "header-missing"
    )


def test_a_row_that_is_much_too_wide_is_rejected_with_its_width():
    row = sheets.GOOD + ",x" * columns.MAX_CELLS

    (rejection,) = sheets.rejections_of(sheets.validate(sheets.below_header(row)))

    assert rejection[2] == "Row has more than 16,384 cells, expected 4"


def test_any_number_of_empty_cells_at_the_end_is_accepted():
    row = sheets.GOOD + "," * columns.MAX_CELLS * 2

    assert len(sheets.validate(sheets.below_header(row, f'"",{row}')).valid_values) == 1


def test_of_very_many_unknown_columns_the_first_are_named():
    names = [f"column {n}" for n in range(columns.MAX_IGNORED + 1)]

    all_named = columns.match_header([*columns.TEMPLATE_HEADER, *names[:-1]]).ignored
    cut = columns.match_header([*columns.TEMPLATE_HEADER, *names, "x" * 200]).ignored

    assert list(all_named) == names[:-1]
    assert list(cut) == [*names[:-1], "…"]


def test_a_long_name_of_an_unknown_column_is_cut():
    (name,) = columns.match_header([*columns.TEMPLATE_HEADER, "x" * 200]).ignored

    assert name == "x" * 99 + "…"


def test_a_very_long_cell_is_cleaned_only_at_its_ends():
    inside = "a  b" * normalise.MAX_CLEANED

    assert normalise.clean_text(f" \u200b{inside}\xa0") == inside
