"""Long texts, on which work that is more than linear takes minutes."""

import time

import pytest

from cvms_pipeline.domain.reading import records
from cvms_pipeline.domain.vocabulary import columns

MANY = 20_000
MAX_SECONDS = 5  # quadratic work would take minutes
QUOTES = {
    "each line opens one": 'a","\n',
    "each line closes one and opens one": '"a\n',
    "each line opens one behind a quoted cell": '"a","\n',
    "a cell of quotation marks": '"""',
}

BLANKS = [
    ("\n", 1),
    (",,\n", 1),
    (" \r\n,\r", 2),
    ('"",\n', 1),
    ('"\n"\n', 1),  # one row of a spreadsheet
    ('\n""\n \n', 3),
]


def read(text, delimiter=","):
    return list(records.read_records(text, delimiter))


@pytest.mark.parametrize("unit", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("end", ["", '"', 'x"y', '"x'])
def test_lines_are_not_searched_again_and_again_for_a_closing_quote(unit, end):
    started = time.process_time()

    found = read(unit * MANY + end)

    assert time.process_time() - started < MAX_SECONDS
    assert found


def test_quotes_that_break_far_below_cost_one_line_each():
    found = read('a","\n' * MANY + 'b,"c"d\ne\n')

    assert [line for line, _, _ in found] == list(range(1, MANY + 3))
    assert [is_broken for _, _, is_broken in found] == [True] * (MANY + 1) + [False]


def test_a_cell_of_ten_megabytes_is_a_cell():
    ((_, cells, _),) = read('"' + "a" * 10_000_000 + '"')

    assert len(cells[0]) == 10_000_000


@pytest.mark.parametrize(("blank", "lines"), BLANKS)
def test_many_blank_records_are_all_counted(blank, lines):
    ((line, _, _),) = read(blank * MANY + "a\n")

    assert line == lines * MANY + 1


@pytest.mark.parametrize("count", [1, columns.MAX_CELLS - 1, columns.MAX_CELLS, MANY])
def test_a_record_of_many_blank_cells_and_one_other_is_a_record(count):
    found = read("\n" + '"";' * count + '"a"\n\nb\n', ";")

    assert [line for line, _, _ in found] == [2, 4]
    assert len(found[0][1]) == min(count, columns.MAX_CELLS) + 1


def test_a_header_of_many_quoted_cells_shows_its_delimiter():
    text = '"a\n,,b";' * MANY + "c\n1,2,3\n"

    assert records.find_delimiter(text) == ";"


def test_a_very_wide_row_is_read_unless_it_has_quotation_marks():
    more = "," * (records.MAX_DELIMITERS + 1)

    found = read(f'a{more}b\n"a"{more}b\nc\n"a\nb"{more}')

    assert [line for line, _, _ in found] == [1, 2, 3, 4, 5]
    assert [is_broken for _, _, is_broken in found] == [False, True, False, True, True]
    assert {len(cells) for _, cells, _ in found[:2]} == {columns.MAX_CELLS + 1}
