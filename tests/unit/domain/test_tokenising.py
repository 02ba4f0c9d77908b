"""Delimiters, quotation marks and line numbers."""

import pytest

from cvms_pipeline.domain import tokenising

DELIMITERS = [
    ("a,b;c;d", ";"),
    ("a\tb\tc,d", "\t"),
    ("a,b;c", ","),  # a tie goes to the comma
    ("a;b\tc", ";"),  # and then to the semicolon
    ("a", ","),
    ("", ","),
    ("\n ,,,,\n\na;b", ";"),  # blank rows say nothing
    ('"a,b,c";d', ";"),  # quoted delimiters do not count
    ('"a\nb,c,d";e;f', ";"),  # not even behind a quoted line break
    ('a";b;c\nd,e,f,g,h', ";"),  # a quotation mark that never closes
]
LINES = [
    ("a\nb", [(1, ["a"]), (2, ["b"])]),
    ("a\r\nb\rc\nd", [(1, ["a"]), (2, ["b"]), (3, ["c"]), (4, ["d"])]),
    ("a\n\n \n,\nb\n", [(1, ["a"]), (5, ["b"])]),  # blank rows count
    ("a\r\r\nb", [(1, ["a"]), (3, ["b"])]),
    ('"a\nb",c\nd', [(1, ["a\nb", "c"]), (2, ["d"])]),  # a quoted break does not
    ('"a\r\nb"\r\nc', [(1, ["a\r\nb"]), (2, ["c"])]),
    ('"\n"\nb', [(2, ["b"])]),  # a blank row of two physical lines
    ("a\x0bb\x0cc\x85d\u2028e\x1cf", [(1, ["a\x0bb\x0cc\x85d\u2028e\x1cf"])]),
]
CELLS = [
    ("a,b,", ["a", "b", ""]),
    (",a", ["", "a"]),
    ('"a,b",c', ["a,b", "c"]),
    ('"a""b"', ['a"b']),
    ('""""', ['"']),
    ('"",a', ["", "a"]),
    ('a"b,c"', ['a"b', 'c"']),  # a quotation mark inside an unquoted cell
    (' "a",b', [' "a"', "b"]),  # a space before it makes it an unquoted cell
    ('"a",', ["a", ""]),
]
BROKEN = [
    ('"a"b,c\nd', [(1, ['"a"b', "c"], True), (2, ["d"], False)]),
    ('"a,b\nc', [(1, ['"a', "b"], True), (2, ["c"], False)]),  # never closes
    ('"a,b\nc\n"d"e\nf', [(1, ['"a', "b"], True), (2, ["c"], False),
                         (3, ['"d"e'], True), (4, ["f"], False)]),
    ('"a\n"b\n"c\n', [(1, ['"a'], True), (2, ['"b'], True), (3, ['"c'], True)]),
    ('a","\n' * 3, [(n, ['a"', '"'], True) for n in (1, 2, 3)]),
    ('x,"\n"a"\ny', [(1, ["x", '"'], True), (2, ["a"], False), (3, ["y"], False)]),
]  # fmt: skip


def records(text, delimiter=","):
    return list(tokenising.records(text, delimiter))


@pytest.mark.parametrize(("text", "delimiter"), DELIMITERS)
def test_the_delimiter_is_what_the_header_holds_most_of(text, delimiter):
    assert tokenising.find_delimiter(text) == delimiter


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_a_row_has_the_number_that_a_spreadsheet_shows(text, expected):
    assert [(r.line, r.cells) for r in records(text)] == expected


@pytest.mark.parametrize(("text", "cells"), CELLS)
def test_quotation_marks_are_resolved(text, cells):
    assert records(text) == [(1, cells, False)]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_broken_quoting_costs_its_first_physical_line_only(text, expected):
    assert records(text) == expected


@pytest.mark.parametrize("delimiter", tokenising.DELIMITERS)
def test_every_delimiter_separates_cells(delimiter):
    text = delimiter.join(["a", f'"b{delimiter}c"', "d"])

    assert records(text, delimiter) == [(1, ["a", f"b{delimiter}c", "d"], False)]
