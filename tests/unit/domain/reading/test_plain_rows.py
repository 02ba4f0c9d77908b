"""Usual files are read at once, and have the same rows as if read line by line."""

import pandas as pd
import pytest
import sheets
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cvms_pipeline.domain.reading import plain_rows, reader
from cvms_pipeline.domain.vocabulary import columns

HEADER = columns.match_header(list(columns.TEMPLATE_HEADER))
MORE = "Bob,Lee,1/3/1990,bob@b.org"
UNUSUAL = [
    ("no row", f"{sheets.HEADER}\n"),
    ("no line break", sheets.HEADER),
    ("a quotation mark", f'{sheets.HEADER}\n"Ann",Lee,1/2/1990,a@b.org'),
    ("a blank line", f"{sheets.HEADER}\n{sheets.GOOD}\n\n{MORE}"),
    ("a blank line above the header", f"\n{sheets.HEADER}\n{sheets.GOOD}"),
    ("a declaration", f"sep=,\n{sheets.HEADER}\n{sheets.GOOD}"),
    ("a row too short", f"{sheets.HEADER}\n{sheets.GOOD}\nBob,Lee,1/3/1990"),
    ("a row too long", f"{sheets.HEADER}\n{sheets.GOOD}\n{MORE},x"),
    ("a row of one value", f"{sheets.HEADER}\n{sheets.GOOD}\nFALSE,,,"),
    ("a row that looks empty", f"{sheets.HEADER}\n{sheets.GOOD}\n \u200b,,,"),
    ("an unread byte", f"{sheets.HEADER}\nJos\udce9,Lee,1/2/1990,a@b.org"),
    ("an error report", f"{sheets.HEADER},Error\n{sheets.GOOD},Line 2"),
]
PARTS = st.sampled_from(
    [
        *("Ann", "Jos\xe9", "Lee", "1/2/1990", "a@b.org", "", " ", "\u200b", "FALSE"),
        *("'x", "=1", "\x0b", "\x1c", "\u2028", "\x85", "x\ty", "a;b", "\U0001f600"),
    ]
)


def read_at_once(text):
    header = columns.match_header(text.splitlines()[0].split(","))
    return plain_rows.read_columns(text, header, ",", 5_000)


@pytest.mark.parametrize(("why", "text"), UNUSUAL)
def test_a_file_that_is_not_usual_is_not_read_at_once(why, text):
    assert plain_rows.read_columns(text, HEADER, ",", 5_000) == {}, why


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_a_usual_file_is_read_at_once(end, last):
    text = end.join([sheets.HEADER, sheets.GOOD, MORE]) + (end if last else "")

    read = plain_rows.read_columns(text, HEADER, ",", 5_000)

    assert read["first_name"].to_pylist() == ["Ann", "Bob"]
    assert read["email"].to_pylist()[1] == "bob@b.org"


def test_the_columns_are_those_of_the_header_whatever_their_order():
    text = "Email,Note,DOB,Last name,First name\na@b.org,x,1/2/1990,Lee,Ann"

    read = read_at_once(text)

    assert [held.to_pylist() for held in read.values()] == [
        *(["Ann"], ["Lee"], ["1/2/1990"], ["a@b.org"])
    ]


def test_a_file_of_more_rows_than_the_lane_takes_is_not_read_at_once():
    text = "\n".join([sheets.HEADER, sheets.GOOD, MORE])

    assert len(plain_rows.read_columns(text, HEADER, ",", 2)) == len(columns.ALL)
    assert plain_rows.read_columns(text, HEADER, ",", 1) == {}


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.lists(st.lists(PARTS, min_size=3, max_size=6), min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
@example([["Ann", "Lee", "1/2/1990", "a@b.org"]], "\n", True)
@example([["Ann", "\u2028", "\x0b", "a@b.org"]], "\r", False)
def test_at_once_and_line_by_line_the_same_rows_are_read(rows, end, is_ended):
    lines = [sheets.HEADER, *map(",".join, rows)]
    data = (end.join(lines) + (end if is_ended else "")).encode()

    at_once = sheets.read(data)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(plain_rows, "read_columns", lambda *_: {})
        by_line = sheets.read(data)
    assert at_once.refusal == by_line.refusal
    for name in ("cells", "values", "extras", "rejections"):
        pd.testing.assert_frame_equal(getattr(at_once, name), getattr(by_line, name))


def test_a_file_of_invented_rows_is_read_at_once(monkeypatch):
    monkeypatch.setattr(reader.row_filter, "RowFilter", None)

    assert len(sheets.read(sheets.below_header(*[sheets.GOOD] * 3)).cells) == 3
