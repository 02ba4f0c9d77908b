"""Foreign text is shown cut short, on one line, with nothing hidden."""

import pytest

from cvms_pipeline.domain.text import arrow, display

ESCAPED = [
    ("staff.csv", "staff.csv"),
    ("Zoë 😀\xa0.csv", "Zoë 😀\xa0.csv"),  # all of it can be seen
    ("a\nb", r"a\x0ab"),
    ("a\r\n\x1b[31m", r"a\x0d\x0a\x1b[31m"),  # steers a terminal
    ("a\x85b\u2028c", r"a\x85b\u2028c"),  # line breaks to some
    ("\u202evsc.exe", r"\u202evsc.exe"),  # turns the direction of writing
    ("a\udcffb", r"a\xffb"),  # a byte of a file name that is not UTF-8
    ("a\ud800b", r"a\ud800b"),  # half a surrogate pair
]
ON_ONE_LINE = [
    ("Ann Lee", "Ann Lee"),
    ("Ann\r\nLee\tJr\u2028", "Ann  Lee Jr "),
    ("Ann\x00\x1b", "Ann\ufffd\ufffd"),
    ("Zoë\u202e\ud800", "Zoë\ufffd\ufffd"),
]
STORABLE = [
    ("Zoë\n😀\u202e", "Zoë\n😀\u202e"),  # everything that UTF-8 can say
    ("a\udcff\udc80b", r"a\xff\x80b"),
    ("a\ud800\udc7f\udfff", r"a\ud800\udc7f\udfff"),
]
SHORTENED = [("", ""), ("12345", "12345"), ("123456", "1234…"), ("😀" * 6, "😀😀😀😀…")]


@pytest.mark.parametrize(("text", "shown"), ESCAPED)
def test_invisible_characters_are_escaped(text, shown):
    assert display.escape_hidden(text) == shown
    assert display.escape_hidden(shown) == shown


@pytest.mark.parametrize(("text", "shown"), ON_ONE_LINE)
def test_line_breaks_become_spaces(text, shown):
    assert display.make_one_line(text) == shown


@pytest.mark.parametrize(("text", "stored"), STORABLE)
def test_storable_text_is_valid_unicode(text, stored):
    assert display.make_storable(text) == stored
    assert stored.encode()


@pytest.mark.parametrize(("text", "shown"), SHORTENED)
def test_an_ellipsis_replaces_what_is_cut(text, shown):
    assert display.shorten(text, 5) == shown


def test_a_column_is_shortened_text_by_text():
    texts, shown = zip(*SHORTENED, strict=True)

    column = arrow.shorten(arrow.from_texts(texts), 5)

    assert column.to_pylist() == list(shown)
