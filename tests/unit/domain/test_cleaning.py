"""What is left of a cell, and when two names are the same."""

import pandas as pd
import pytest

from cvms_pipeline.domain import cleaning

CLEANED = [
    (" Ann ", "Ann"),
    ("Mary \t Jane", "Mary Jane"),
    ("Mary\r\nJane", "Mary Jane"),  # a quoted line break
    ("Mary\u00a0Jane", "Mary Jane"),  # a no-break space
    ("\u3000Ann\u2003", "Ann"),  # an ideographic and an em space
    ("Mary\u2028Jane", "Mary Jane"),  # a line separator
    ("Mary\x85Jane", "Mary Jane"),  # the C1 next line
    ("\ufeffAnn", "Ann"),  # a byte-order mark
    ("An\u200bn", "Ann"),  # a zero-width space
    ("\u0639\u0644\u06cc\u200c\u0631", "\u0639\u0644\u06cc\u0631"),  # a Persian joiner
    ("An\u00adn", "Ann"),  # a soft hyphen
    ("\u200eAnn\u200f", "Ann"),  # direction marks
    ("Mary \u200b Jane", "Mary Jane"),  # a zero-width space between spaces
    ("Rene\u0301e", "Ren\u00e9e"),  # a combining accent
    ("e\u200b\u0301", "\u00e9"),  # an accent that a zero-width space kept apart
    ("NA", "NA"),
    ("None", "None"),
    ("", ""),
    (" \u00a0\u200b\u2060\u180e", ""),  # nothing that anyone can see
]
KEPT = [
    "\x1cAnn",  # a control character that only Python takes for white space
    "Ann\x00",  # NUL
    "\u202eAnn",  # a direction override
    "\u2800",  # the empty Braille pattern, a symbol
]
SAME = [
    ("ANN", "ann"),
    ("Stra\u00dfe", "STRASSE"),  # sharp s
    ("O\u2019Neil", "o'neil"),  # a curly apostrophe
    ("O\u02bbNeil", "O\u2018NEIL"),  # an okina and a left quotation mark
    ("Jean\u2010Luc", "Jean-Luc"),  # a hyphen
    ("Jean\u2011Luc", "Jean\u2013Luc"),  # a no-break hyphen and an en dash
    ("\uff21nn", "Ann"),  # a full-width letter
    ("\ufb01n", "FIN"),  # a ligature
    ("\u0149a", "'NA"),  # n preceded by apostrophe, one letter
    ("Mary  Jane", "mary jane"),
]
DIFFERENT = [
    ("Jos\u00e9", "Jose"),  # accents count
    ("Maryjane", "Mary Jane"),
    ("O'Neil", "ONeil"),
]


def key(name):
    return cleaning.match_key(pd.Series([name], dtype=str)).iloc[0]


@pytest.mark.parametrize(("written", "expected"), CLEANED)
def test_white_space_goes_and_accents_are_composed(written, expected):
    assert cleaning.clean_text(written) == expected
    assert cleaning.is_blank(written) == (expected == "")


@pytest.mark.parametrize("written", KEPT)
def test_what_is_not_white_space_stays(written):
    assert cleaning.clean_text(written) == written


def test_every_white_space_character_of_unicode_is_known():
    python_only = {"\x1c", "\x1d", "\x1e", "\x1f"}
    expected = {c for c in map(chr, range(0x110000)) if c.isspace()} - python_only

    assert set(cleaning.WHITE_SPACE) == expected


def test_a_series_keeps_its_index_and_name():
    texts = pd.Series([" Ann", "Bob"], index=[3, 7], name="first_name", dtype=str)

    cleaned = cleaning.clean(texts)

    assert cleaned.to_dict() == {3: "Ann", 7: "Bob"}
    assert cleaned.name == "first_name"


def test_a_cell_of_a_million_accents_is_cleaned_without_sorting_them():
    text = "a" + "\u0301\u0327" * 500_000

    cleaned = cleaning.clean_text(text)

    assert cleaned == text
    assert key(text) == text


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_mean_the_same_have_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_have_two_keys(one, other):
    assert key(one) != key(other)
