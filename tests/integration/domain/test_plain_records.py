"""Records made all at once are those made one by one."""

import pytest
import sheets
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain import plain, tokenising
from cvms_pipeline.domain.upload import Lane

MANY = settings(max_examples=300, deadline=None, database=None)
SEPARATORS = st.sampled_from(",;\t\r\n \xa0\u200b\x00\x0b\x0c\x1c\x85\u2028aé😀")
WITHOUT_QUOTES = st.characters(exclude_categories=["Cs"], exclude_characters='"')


@MANY
@given(st.text(SEPARATORS | WITHOUT_QUOTES), st.sampled_from(tokenising.DELIMITERS))
@example("a\r\r\n\nb,,\r,\n", ",")
@example("", ",")
def test_they_are_the_same_for_any_text_without_quotation_marks(text, delimiter):
    one_by_one = list(tokenising.records(text, delimiter))

    grid = plain.grid(text, delimiter)

    assert grid.lines.tolist() == [record.line for record in one_by_one]
    assert [grid.record(at) for at in range(len(grid))] == [
        record.cells for record in one_by_one
    ]
    assert not any(record.is_broken for record in one_by_one)


@MANY
@given(st.text(SEPARATORS | WITHOUT_QUOTES), st.integers(0, 4))
def test_a_column_has_the_cell_of_each_record_or_nothing(text, position):
    grid = plain.grid(text, ",")

    column = grid.column(position).to_pylist()

    records = [grid.record(at) for at in range(len(grid))]
    assert column == [r[position] if position < len(r) else "" for r in records]


@MANY
@given(st.lists(st.text(SEPARATORS), max_size=8))
def test_a_sheet_is_the_same_whether_or_not_there_is_a_quotation_mark(texts):
    rows = [sheets.GOOD, *texts, "too,few", f"{sheets.GOOD},,more", sheets.GOOD]
    plain = "\n".join([sheets.HEADER, *rows])
    quoted = plain.replace("First name", '"First name"', 1)

    sheets.assert_same(sheets.read(quoted), sheets.read(plain))


# One character more, and the records are made one by one.
@pytest.mark.parametrize("more", ["", " "])
def test_the_longest_text_that_is_read_at_once_reads_like_a_longer_one(more):
    row = "a" * 50 + ",b,c,d\n"
    start = f"{sheets.HEADER}\n" + row * 5_000
    text = start + " " * (plain.MAX_LENGTH - len(start)) + more

    sheet = sheets.read(text, Lane.HIGH_VOLUME)

    assert (plain.grid(text, ",") is None) == bool(more)
    assert len(sheet.values) == 5_000


def test_rows_beyond_what_is_counted_are_told_as_at_least_so_many():
    text = f"{sheets.HEADER}\n" + "x\n" * 200_000

    refusal = sheets.read(text).refusal

    assert refusal.message.startswith("The file has at least 100,001 rows")
