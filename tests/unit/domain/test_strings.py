"""Texts come back from a column as they went in."""

import numpy as np
import pandas as pd
import pytest

from cvms_pipeline.domain import strings

TEXTS = [
    [],  # none at all
    [""],  # nothing in one
    ["Ann", "", "Lee"],  # ASCII
    ["Zoë", "", "𠜎😀", "a\0b", "\u0301"],  # one to four bytes a character
]


@pytest.mark.parametrize("texts", TEXTS)
def test_texts_come_back_as_they_went_in(texts):
    column = strings.column(texts)

    column.validate(full=True)
    assert column.to_pylist() == texts


@pytest.mark.parametrize("texts", TEXTS)
def test_pandas_takes_them_for_its_own_strings(texts):
    taken = strings.column(texts).to_pandas()

    pd.testing.assert_series_equal(taken, pd.Series(texts, dtype=str))


def test_a_slice_of_a_column_shows_its_own_texts_only():
    column = strings.column(["Ann", "", "Zoë", "Lee"]).slice(1, 2)

    bounds, data = strings.inside(column)

    assert bounds.tolist() == [0, 0, 4]
    assert bytes(data).decode() == "Zoë"


def test_a_column_of_nothing_shows_nothing():
    bounds, data = strings.inside(strings.column([]))

    assert bounds.tolist() == [0]
    assert len(data) == 0


def test_texts_are_put_in_the_places_of_others():
    column = strings.column(["Ann", "Bo", "Zoë"])

    replaced = strings.replaced(column, np.array([0, 2]), ["Anna", ""])

    assert replaced.to_pylist() == ["Anna", "Bo", ""]


def test_where_nothing_is_replaced_the_column_stays_what_it_is():
    column = strings.column(["Ann"])

    assert strings.replaced(column, np.array([], dtype="int64"), []) is column


def test_a_series_in_pieces_becomes_one_column():
    series = pd.concat([pd.Series(["Ann"], dtype=str), pd.Series(["Zoë"], dtype=str)])

    assert strings.of(series).to_pylist() == ["Ann", "Zoë"]


def test_what_is_made_of_a_series_keeps_its_index_and_name():
    series = pd.Series(["Ann"], index=[7], name="first_name", dtype=str)

    made = strings.like(series, strings.column(["Bo"]))

    pd.testing.assert_series_equal(
        made, pd.Series(["Bo"], index=[7], name="first_name", dtype=str)
    )
