"""The text of a cell after cleaning, and which names are the same."""

import pandas as pd
import pytest

from cvms_pipeline.domain.text import normalise

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
    ("Nora\x01", "Nora"),  # a control character
    ("\x1b\x1cNora\x7f\x80", "Nora"),  # others, one of which Python calls space
    ("Nora\0", "Nora"),
    ("\u202aNora\u202c", "Nora"),  # an embedding
    ("\u2066No\u2069ra", "Nora"),  # an isolate
    ("Nora\ufe0f\U000e0100", "Nora"),  # variation selectors
    ("No\u034fra\u2800\u3164\uffa0\ufffc", "Nora"),  # what looks as empty
    ("An\u200dn\u200c", "Ann"),  # joiners that no script needs
    ("\u200c\u0639\u200c \u0639\u200d", "\u0639 \u0639"),  # joiners at ends
    ("\u0639\u200c\u200b\u200c\u0631", "\u0639\u200c\u0631"),  # two, one hidden
    ("\u0661\u200c\u0662", "\u0661\u0662"),  # between digits
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
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # a Persian joiner
    "\u0915\u094d\u200d\u0937",  # an Indic joiner after a virama
    "Ann\ufffd",  # what a wrong decoding leaves
    "\u2801",  # a Braille pattern that can be seen
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
    ("I\u015eIL", "I\u015f\u0131l"),  # Turkish, without dots
    ("\u0130pek", "ipek"),  # Turkish, with a dot
    ("\u0130PEK", "\u0131pek"),
    ("I\u0323\u0307da", "\u1ecbda"),  # the dot behind another mark
    ("\u0639\u0644\u06cc\u200c\u0631", "\u0639\u0644\u06cc\u0631"),  # a joiner
    ("Marcel\xb7l\xed", "Marcel\u2027l\xed"),  # middle dots
    ("Rocky \u2162", "rocky iii"),  # a Roman numeral, one character
    ("Ann.", "Ann"),
    ("Ann'", "'ann"),
    ("Smith Jr.", "SMITH JR"),
    ("-Ann\u2013", "Ann"),
    ("\u05d2\u05f3\u05d5\u05df", "\u05d2'\u05d5\u05df"),  # a geresh
    *((f"D{mark}Arcy", "D'Arcy") for mark in normalise.APOSTROPHES),
    *((f"Ann{mark}Lee", "Ann-Lee") for mark in normalise.HYPHENS),
]
IGNORABLE = [
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
    *((0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
]
"""Default_Ignorable_Code_Point, from Unicode's file DerivedCoreProperties.txt."""
DIFFERENT = [
    ("Jos\u00e9", "Jose"),  # accents count
    ("Maryjane", "Mary Jane"),
    ("O'Neil", "ONeil"),
    ("J.R. Lee", "JR Lee"),  # marks inside count
    ("Smith Jr.", "Smith"),
    ("\u0419", "\u0418"),
    ("j\u0307a", "ja"),  # a dot above another letter
]


def key(name):
    return normalise.make_match_keys(pd.Series([name], dtype=str)).iloc[0]


@pytest.mark.parametrize(("written", "expected"), CLEANED)
def test_white_space_is_removed_and_accents_are_composed(written, expected):
    assert normalise.clean_text(written) == expected
    assert normalise.is_blank(written) == (expected == "")


@pytest.mark.parametrize("written", KEPT)
def test_characters_that_are_not_white_space_are_kept(written):
    assert normalise.clean_text(written) == written


def test_every_white_space_character_of_unicode_is_known():
    python_only = {"\x1c", "\x1d", "\x1e", "\x1f"}
    white_space = {c for c in map(chr, range(0x110000)) if c.isspace()} - python_only

    for char in white_space:
        assert normalise.clean_text(f"Ann{char}Lee") == "Ann Lee"
        assert normalise.is_blank(char)


def test_every_character_that_unicode_lets_programs_ignore_is_removed():
    for first, last in IGNORABLE:
        for char in map(chr, range(first, last + 1)):
            assert normalise.clean_text(f"No{char}ra{char}") == "Nora"
            assert normalise.is_blank(char)


def test_every_control_character_is_removed_or_is_white_space():
    for char in map(chr, [*range(0x20), *range(0x7F, 0xA0)]):
        assert normalise.clean_text(f"Nora{char}") == "Nora"


@pytest.mark.parametrize("blank", ["", " ", "\x01", "\u200d", "\U000e0020\u3164"])
def test_only_the_end_is_stripped(blank):
    assert normalise.strip_end(f"{blank}a{blank}b{blank}") == f"{blank}a{blank}b"
    assert normalise.strip_end(blank) == ""


def test_a_series_keeps_its_index_and_name():
    texts = pd.Series([" Ann", "Bob"], index=[3, 7], name="first_name", dtype=str)

    cleaned = normalise.clean_texts(texts)

    assert cleaned.to_dict() == {3: "Ann", 7: "Bob"}
    assert cleaned.name == "first_name"


def test_a_cell_of_a_million_accents_is_cleaned_without_sorting_them():
    text = "a" + "\u0301\u0327" * 500_000

    cleaned = normalise.clean_text(text)

    assert cleaned == text
    assert key(text) == text


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_mean_the_same_have_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_have_two_keys(one, other):
    assert key(one) != key(other)
