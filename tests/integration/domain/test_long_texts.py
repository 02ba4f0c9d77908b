"""Texts that are long enough to show work that grows faster than they do."""

import pytest

from cvms_pipeline.domain import quoting, tokenising

AROUND_ONE_GO = [quoting._SOME + more for more in (-1, 0, 1, 2, quoting._SOME, 12_345)]


def records(text, delimiter=","):
    return list(tokenising.records(text, delimiter))


def test_a_quote_opened_on_each_of_many_lines_is_looked_through_once():
    text = 'a","\n' * 20_000  # quadratic work would take minutes

    assert all(record.is_broken for record in records(text))


def test_a_cell_of_ten_megabytes_is_a_cell():
    text = '"' + "a" * 10_000_000 + '"'

    assert len(records(text)[0].cells[0]) == 10_000_000


def test_what_is_known_of_broken_quotes_is_found_out_once():
    text = 'a","\n' * 5_000
    quotes = quoting.Quotes(text, ",")
    starts = range(0, len(text), 5)

    assert {quotes.record_end(at) for at in starts} == {0}
    # One mark for each block that was walked, not one for each line and block.
    assert len(quotes._broken) < 5 * len(text) // quoting._BLOCK + 2 * len(starts)


@pytest.mark.parametrize("count", AROUND_ONE_GO)
def test_quotation_marks_inside_quotes_are_as_many_as_there_are(count):
    text = '"' + 'a""' * count + '",b\nc\n'

    assert [record.cells for record in records(text)] == [['a"' * count, "b"], ["c"]]


@pytest.mark.parametrize("count", AROUND_ONE_GO)
def test_quotes_that_break_behind_many_marks_cost_one_line(count):
    text = '"' + 'a""' * count + '"b\nc\n'

    assert [record.is_broken for record in records(text)] == [True, False]


@pytest.mark.parametrize("ending", ["", '"",', '"","\n"'])
@pytest.mark.parametrize("count", AROUND_ONE_GO)
def test_a_blank_record_of_many_cells_is_passed_over(count, ending):
    blank = '"",' * count + ending + "\n"

    (record,) = records(blank * 2 + "a\n")

    assert record.line == 3


@pytest.mark.parametrize("count", AROUND_ONE_GO)
def test_a_record_of_many_blank_cells_and_one_other_is_a_record(count):
    text = "\n" + '"";' * count + '"a"\n\nb\n'

    read = records(text, ";")

    assert [record.line for record in read] == [2, 4]
    assert len(read[0].cells) == min(count, tokenising.MAX_CELLS) + 1


@pytest.mark.parametrize("count", AROUND_ONE_GO)
def test_many_blank_records_are_all_counted(count):
    assert records('"",\n' * count + "a\n")[0].line == count + 1


def test_a_header_of_many_quoted_cells_tells_its_delimiter():
    text = '"a\n,,b";' * (3 * quoting._SOME) + "c\n1,2,3\n"

    assert tokenising.find_delimiter(text) == ";"
