"""The frames that pass between the steps of an upload: columns, types and index.

Each is a pandera model.  `sheet.Sheet` has one of each, and checks those that a step
changes.
"""

from collections.abc import Mapping

import pandas as pd
import pandera.pandas as pa
from pandera import dtypes
from pandera.engines import pandas_engine
from pandera.typing.pandas import Index

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import faults, likeness


class FrameInvalid(errors.PermanentError):
    """A frame that a step returns does not match its model."""


@pandas_engine.Engine.register_dtype
@dtypes.immutable(init=True)
class Text(pandas_engine.STRING):
    """Strings as pandas holds them in Arrow.

    pandera's own type inspects every cell, which takes three times as long.  Whether
    values may be missing is part of each model.
    """

    def check(
        self, pandera_dtype: dtypes.DataType, data_container: object = None
    ) -> bool:
        """Return whether a column of the type `pandera_dtype` holds strings."""
        return isinstance(pandera_dtype, pandas_engine.STRING)


class _Strict(pa.DataFrameModel):
    class Config:
        """Exactly the columns of the model, in their order."""

        strict = True
        ordered = True


class _ByLine(_Strict):
    line: Index[int] = pa.Field(unique=True, check_name=True)
    """The row number that a spreadsheet shows."""


class Cells(_ByLine):
    """A text for each column and row: original or cleaned."""

    first_name: Text
    last_name: Text
    birth_date: Text
    email: Text


class Extras(_ByLine):
    """What rows hold beside the known columns, where it must not be lost.

    Of a row with a wrong number of cells, and of each row of an error report.
    """

    cells: Text
    """The cells in no known column as a list in JSON; empty without any."""
    error: Text
    """The cell in the `Error` column of an error report that was dropped."""


class Rejections(_Strict):
    """Why rows are rejected: one row for each reason, in order of line."""

    line: int
    """The rejected row; it occurs once for each of its reasons."""
    code: Text
    """A code of `reasons.REASONS`."""
    text: Text
    """The text for the provider, without the `Line N: ` at the beginning."""


class Keys(_ByLine):
    """The match key of each row, and its e-mail address."""

    first_key: Text
    last_key: Text
    birth_date: pa.DateTime
    email_key: Text
    """The e-mail address in lower case; it is no part of the match key."""


class Plan(Keys):
    """The rows to load; empty until duplicates have been searched for."""

    is_taken: bool
    """Whether a stored recipient already has the username of first choice."""
    action: Text = pa.Field(isin=("insert", "update"))
    recipient_id: Text = pa.Field(nullable=True)
    """The id of the stored recipient, or missing for a new one."""


class Matches(_ByLine):
    """The stored recipients that have the match key of a row."""

    recipient_id: Text
    email: Text
    provider: Text = pa.Field(nullable=True)
    """The provider that loaded the recipient, or missing if it is not known."""
    is_registered: bool
    """Whether an upload can no longer correct the e-mail address."""
    upload: Text
    """The upload that loaded the recipient, from its row `source_line`."""
    source_line: int


class Similar(_Strict):
    """The stored people whom rows resemble without having their match key."""

    line: int
    """The row; several people may be like it."""
    likeness: Text = pa.Field(isin=tuple(likeness.Likeness))
    upload: Text
    """The upload that loaded the person, from its row `other_line`."""
    other_line: int
    provider: Text


class PossibleDuplicates(_Strict):
    """Rows to load that resemble another person: see `likeness.PossibleDuplicate`."""

    line: int
    likeness: Text = pa.Field(isin=tuple(likeness.Likeness))
    upload: Text = pa.Field(nullable=True)
    """The upload of the other person; missing for a row of the same file."""
    other_line: int
    is_own: bool


def make_empty_frame(model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Return the frame of `model` without rows."""
    frame = pd.DataFrame(model.empty())
    # pandera knows nanoseconds only; filled frames have these units.
    dates = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(dates, "datetime64[us]"))


def check_frame(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> None:
    """Check that `frame` matches `schema`.

    Raises:
        FrameInvalid: If it does not.  The message names the schema, the column and the
            check that failed.  No error of pandera is its cause or context, because
            those quote values.
    """
    fault = _find_fault(schema, frame)
    if fault is not None:
        raise FrameInvalid(faults.FRAME_WRONG.describe(f"{schema.name}: {fault}"))


def matches_certainly(
    schema: pa.DataFrameSchema, frame: pd.DataFrame, like: pd.DataFrame
) -> bool:
    """Return whether `frame` certainly matches `schema`, in a fifth of pandera's time.

    It does if its columns, types and index are those of `like`, the frame of the schema
    without rows, and its values are allowed.  Of any other frame, pandera decides.
    """
    index, expected = frame.index, like.index
    return (
        frame.dtypes.equals(like.dtypes)
        and (index.name, index.dtype) == (expected.name, expected.dtype)
        and index.is_unique
        and all(_allows(column, frame[name]) for name, column in schema.columns.items())
    )


def _allows(column: pa.Column, values: pd.Series) -> bool:
    """Return whether `column` allows all `values`; its checks say so of each value."""
    if not column.nullable and values.hasnans:
        return False
    return all(check(values.drop_duplicates()).check_passed for check in column.checks)


def _find_fault(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> str | None:
    """Return the first column and check of `schema` that `frame` fails, or None."""
    try:
        schema.validate(frame)
    except pa.errors.SchemaError as error:
        found = error
    except pa.errors.SchemaErrors as several:  # for unexpected columns
        found = several.schema_errors[0]
    else:
        return None
    code = found.check.error if isinstance(found.check, pa.Check) else None
    return f"{found.schema.name} fails {code or found.reason_code.value}"


FRAMES: Mapping[str, type[pa.DataFrameModel]] = {
    "cells": Cells,
    "values": Cells,
    "extras": Extras,
    "rejections": Rejections,
    "plan": Plan,
    "possible_duplicates": PossibleDuplicates,
}
"""The model of each frame of a sheet."""
