"""Texts that are long enough to show work that grows faster than they do."""

from cvms_pipeline.domain import quoting, tokenising


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
