"""Cells that a spreadsheet would run get an apostrophe, and lose it again."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.text import formulas

ESCAPED = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@sum(a1)", "'@sum(a1)"),
    ("\tx", "'\tx"),
    ("\rx", "'\rx"),
    ("'=1", "''=1"),  # came with an apostrophe of its own
    ("'''-", "''''-"),
    ("\n=1", "'\n'=1"),
    (" =1", "' =1"),
    ("\u00a0=1", "'\u00a0=1"),
    ("\u200b=1", "'\u200b=1"),
    ("\ufeff=1", "'\ufeff=1"),
    ('"=1"', '\'"=1"'),
    ("＝1", "'＝1"),  # full width
    ("＋1", "'＋1"),  # full width
    ("－1", "'－1"),  # full width
    ("＠a", "'＠a"),  # full width
    ("Ann;=1+1;x", "Ann;'=1+1;x"),
    ("Ann\t=1+1\tx", "Ann\t'=1+1\tx"),
    ("Ann\r\n=1+1", "Ann\r\n'=1+1"),
    ('Ann;"=1+1"', 'Ann;\'"=1+1"'),
    ("Ann;'=1+1;@x", "Ann;''=1+1;'@x"),
    ("=1;-2", "'=1;'-2"),
]
READ = [
    ('="Rosa"', "Rosa"),
    (' ="Rosa" ', "Rosa"),
    ('=""', ""),
    ('="say ""Hi"""', 'say "Hi"'),
    ('="=1+1"', "=1+1"),
]
NOT_READ = [
    "=Rosa",
    '="Rosa',
    '="Rosa"&"Lynn"',
    '=T("Rosa")',
    '=HYPERLINK("mailto:a@b.org")',
    '\'="Rosa"',
    '+="Rosa"',
    '="a"b"',
]
UNTOUCHED = [
    *("Ann", "'Ann", "'t Hooft", "Ann=1", "''", "'", "", "O'=1"),
    *("Ann; Bob", "Ann;'t Hooft", "Ann-Lee;b@b.org"),
]


def series(*texts):
    return pd.Series(texts, index=range(2, len(texts) + 2), dtype=str)


@pytest.mark.parametrize(("text", "escaped"), ESCAPED)
def test_a_formula_cell_gets_an_apostrophe_that_is_removed_when_read(text, escaped):
    assert formulas.escape(series(text)).tolist() == [escaped]
    assert formulas.unescape(series(escaped)).tolist() == [text]


def test_other_cells_are_not_changed():
    assert formulas.escape(series(*UNTOUCHED)).tolist() == UNTOUCHED
    assert formulas.unescape(series(*UNTOUCHED)).tolist() == UNTOUCHED


@pytest.mark.parametrize(("cell", "text"), READ)
def test_a_formula_that_is_only_a_text_is_that_text(cell, text):
    assert formulas.read_texts(series("Ann", cell)).tolist() == ["Ann", text]


@pytest.mark.parametrize("cell", NOT_READ)
def test_any_other_formula_is_not_read(cell):
    assert formulas.read_texts(series("Ann", cell)).tolist() == ["Ann", cell]


PIECES = st.sampled_from([*"';\t\n\r=+-@＝ \u00a0\u200b\"a", "Ann"])  # full width
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text()


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_unescaping_reverses_escaping_for_any_text(text):
    escaped = formulas.escape(series(text))

    assert formulas.unescape(escaped).tolist() == [text]


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_no_part_of_an_escaped_text_begins_as_a_formula(text):
    (escaped,) = formulas.escape(series(text)).tolist()

    for part in re.split("[;\t\n\r]", escaped):
        visible = part.lstrip(' \u00a0\u200b"')
        assert not visible.startswith(tuple("=+-@＝"))  # full width
