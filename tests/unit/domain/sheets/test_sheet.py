"""Frames between steps have the form of their models, and no fault quotes a value."""

import pandas as pd
import pytest
import sheets

from cvms_pipeline.domain.sheets import frames, sheet
from cvms_pipeline.domain.validation import row_schema

CANARY = "Zebulon"
CELLS = pd.DataFrame(
    {column: [CANARY] for column in frames.Cells.to_schema().columns},
    index=pd.Index([2], dtype="int64", name="line"),
)

FAULTS = {
    "first_name fails wrong_dtype": CELLS.astype(object),
    "email fails wrong_dtype": CELLS.assign(email=1),
    "first_name fails series_contains_nulls": CELLS.mask(CELLS == CANARY),
    "Cells fails column_not_in_dataframe": CELLS.drop(columns="email"),
    "Cells fails column_not_in_schema": CELLS.assign(**{CANARY: CANARY}),
    "Cells fails column_not_ordered": CELLS[CELLS.columns[::-1]],
    "line fails series_contains_duplicates": pd.concat([CELLS, CELLS]),
    "line fails wrong_dtype": CELLS.set_axis(pd.Index([CANARY], name="line")),
    "line fails wrong_field_name": CELLS.rename_axis(CANARY),
}


MODELS = [*frames.FRAMES.values(), frames.Keys, frames.Matches]


@pytest.mark.parametrize("model", MODELS)
def test_a_frame_without_rows_satisfies_its_model(model):
    frames.check_frame(model.to_schema(), frames.make_empty_frame(model))


@pytest.mark.parametrize("name", frames.FRAMES)
def test_an_empty_frame_has_the_types_of_a_filled_one(name):
    filled = sheets.plan(sheets.below_header(sheets.GOOD, "a,b"))

    empty = getattr(sheet.make_empty(), name)

    pd.testing.assert_series_equal(empty.dtypes, getattr(filled, name).dtypes)
    assert empty.index.dtype == getattr(filled, name).index.dtype


@pytest.mark.parametrize("fault", FAULTS)
def test_a_frame_that_breaks_its_model_is_refused(fault):
    empty = sheet.make_empty()

    with pytest.raises(frames.FrameInvalid, match=fault) as raised:
        empty.replace(cells=FAULTS[fault])

    assert CANARY not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_a_value_that_no_plan_knows_is_not_named():
    planned = sheets.plan(sheets.below_header(sheets.GOOD))

    with pytest.raises(frames.FrameInvalid, match="action fails") as raised:
        planned.replace(plan=planned.plan.assign(action=CANARY))

    assert CANARY not in str(raised.value)


def test_a_row_against_a_rule_is_refused_by_the_schema_and_not_named():
    schema = row_schema.build_schema(sheets.TODAY)
    bad = CELLS.assign(birth_date="1/2/1990")

    with pytest.raises(
        frames.FrameInvalid, match="email fails email-invalid"
    ) as raised:
        frames.check_frame(schema, bad)

    assert CANARY not in str(raised.value)
