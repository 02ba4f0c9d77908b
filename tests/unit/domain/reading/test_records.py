"""Delimiters, quotation marks and line numbers."""

import csv
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.reading import records
from cvms_pipeline.domain.text import normalise

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
    ('"a\n"b"c,"d\ne"\nf', [(1, ['"a'], True), (2, ['"b"c', '"d'], True),
                              (3, ['e"'], False), (4, ["f"], False)]),
    ('"a\n"b","c\nd"\ne', [(1, ['"a'], True), (2, ["b", "c\nd"], False),
                           (3, ["e"], False)]),  # where it broke, one may go on
    ('x,"\n"a"\ny', [(1, ["x", '"'], True), (2, ["a"], False), (3, ["y"], False)]),
]  # fmt: skip

PARTS = [
    *(",", ";", "\t", '"', '""', "\n", "\r", "\r\n", " ", "a", "b,c", '"d",', '",\n"'),
    *("\xa0", "\u200b", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "é", "😀"),
]


def read(text, delimiter=","):
    return list(records.read_records(text, delimiter))


@pytest.mark.parametrize(("text", "delimiter"), DELIMITERS)
def test_the_delimiter_is_the_most_frequent_one_of_the_header(text, delimiter):
    assert records.find_delimiter(text) == delimiter


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_a_row_has_the_number_that_a_spreadsheet_shows(text, expected):
    assert [(line, cells) for line, cells, _ in read(text)] == expected


@pytest.mark.parametrize(("text", "cells"), CELLS)
def test_quotation_marks_are_resolved(text, cells):
    assert read(text) == [(1, cells, False)]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_broken_quoting_costs_its_first_physical_line_only(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize("delimiter", ",;\t")
def test_every_delimiter_separates_cells(delimiter):
    text = delimiter.join(["a", f'"b{delimiter}c"', "d"])

    assert read(text, delimiter) == [(1, ["a", f"b{delimiter}c", "d"], False)]


def read_slowly(text, delimiter):
    """Return the records as the `csv` module reads each of them by itself."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)
    found, at, number = [], 0, 0
    while at < len(lines):
        number += 1
        reader = csv.reader(lines[at:], delimiter=delimiter, strict=True)
        try:
            cells, is_broken = next(reader), False
            at += reader.line_num
        except csv.Error:
            cells, is_broken = lines[at].rstrip("\r\n").split(delimiter), True
            at += 1
        if any(map(normalise.clean_text, cells)):
            found.append((number, cells, is_broken))
    return found


@settings(max_examples=500, deadline=None, database=None)
@given(
    st.lists(st.sampled_from(PARTS) | st.text(max_size=3)).map("".join),
    st.sampled_from(",;\t"),
)
@example('"a\n"b"c,"d\ne"\nf', ",")
@example("a\r\r\n\nb,,\r,\n", ",")
def test_records_are_those_that_the_csv_module_reads_one_by_one(text, delimiter):
    assert read(text, delimiter) == read_slowly(text, delimiter)
