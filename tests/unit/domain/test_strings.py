"""Texts come back from a column as they went in."""

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
