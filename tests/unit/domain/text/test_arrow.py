"""Texts come back from a column as they went in."""

import pandas as pd
import pyarrow as pa
import pytest

from cvms_pipeline.domain.text import arrow

TEXTS = [
    [],  # none at all
    [""],  # nothing in one
    ["Ann", "", "Lee"],  # ASCII
    ["Zoë", "", "𠜎😀", "a\0b", "\u0301"],  # one to four bytes a character
]


@pytest.fixture
def own_allocator():
    before = pa.default_memory_pool()
    yield
    pa.set_memory_pool(before)


@pytest.mark.parametrize("texts", TEXTS)
def test_texts_are_read_back_unchanged(texts):
    column = arrow.from_texts(texts)

    column.validate(full=True)
    assert column.to_pylist() == texts


@pytest.mark.parametrize("texts", TEXTS)
def test_pandas_takes_them_for_its_own_strings(texts):
    taken = arrow.from_texts(texts).to_pandas()

    pd.testing.assert_series_equal(taken, pd.Series(texts, dtype=str))


def test_a_series_in_pieces_becomes_one_column():
    series = pd.concat([pd.Series(["Ann"], dtype=str), pd.Series(["Zoë"], dtype=str)])

    assert arrow.to_arrow(series).to_pylist() == ["Ann", "Zoë"]


def test_a_derived_series_keeps_index_and_name():
    series = pd.Series(["Ann"], index=[7], name="first_name", dtype=str)

    made = arrow.like_series(series, arrow.from_texts(["Bo"]))

    pd.testing.assert_series_equal(
        made, pd.Series(["Bo"], index=[7], name="first_name", dtype=str)
    )


def test_the_mask_marks_texts_that_match_anywhere():
    series = pd.Series(["Ann", "Bo", "Zoë"], dtype=str)

    assert arrow.match_pattern(series, "[no]").tolist() == [True, True, True]
    assert arrow.match_pattern(series, "\\AB").tolist() == [False, True, False]


HELD = {
    "nothing": ([], True),
    "empty texts": (["", ""], True),
    "allowed characters": (["ab", "ba"], True),
    "another character": (["ab", "abc"], False),
    "a character outside ASCII": (["ab", "ä"], False),
    "another one after a megabyte": (["a" * 1_500_000, "c"], False),
}


@pytest.mark.parametrize("case", HELD)
def test_a_column_is_searched_for_other_characters(case):
    texts, expected = HELD[case]

    assert arrow.holds_only(pd.Series(texts, dtype=str), b"ab") is expected


def test_only_the_part_that_a_series_shows_is_searched():
    texts = pd.Series(["=", "a", "", "'"], dtype=str)

    assert arrow.lacks(texts[1:3], "=")
    assert arrow.lacks(texts[1:3], "'")
    assert not arrow.lacks(texts[:1], "=")
    assert not arrow.lacks(texts[2:], "'")


@pytest.mark.usefixtures("own_allocator")
def test_memory_is_released_without_harm_to_columns_in_use():
    pa.set_memory_pool(pa.system_memory_pool())

    held = arrow.to_arrow(pd.Series(["Ann"] * 1_000, dtype=str)).slice(0, 10)
    arrow.release_memory(10_000_000)

    assert held.to_pylist() == ["Ann"] * 10
