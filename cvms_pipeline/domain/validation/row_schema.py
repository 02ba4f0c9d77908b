"""The rules of a row as a pandera schema, and the step that validates rows with it.

`build_schema` is the table of rules: for each column its checks, in the order of a
row's reasons; the error of a check is the code of the reason.  The masks are in
`rules`, the texts in `wording`; `duplicates` compares rows with other rows.
"""

import datetime as dt
import functools
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa

from cvms_pipeline.domain.sheets import frames, sheet
from cvms_pipeline.domain.validation import advice, rules
from cvms_pipeline.domain.vocabulary import columns, reasons, wording


@functools.lru_cache(maxsize=1)
def build_schema(today: dt.date) -> pa.DataFrameSchema:
    """Return the schema of valid rows; no birth date is after `today`."""
    is_invalid_date = functools.partial(rules.is_invalid_birth_date, today=today)
    is_ambiguous_date = functools.partial(rules.is_ambiguous_birth_date, today=today)
    required = _check(reasons.REQUIRED_MISSING, rules.is_empty)
    name = [
        required,
        _check(reasons.NAME_CHARACTERS, rules.is_invalid_name),
        _check(reasons.NAME_LENGTH, rules.is_too_long),
    ]
    return pa.DataFrameSchema(
        {
            columns.FIRST_NAME: pa.Column(frames.Text, name),
            columns.LAST_NAME: pa.Column(frames.Text, name),
            columns.BIRTH_DATE: pa.Column(
                frames.Text,
                [
                    required,
                    _check(reasons.BIRTH_DATE_INVALID, is_invalid_date),
                    _check(reasons.BIRTH_DATE_AMBIGUOUS, is_ambiguous_date),
                ],
            ),
            columns.EMAIL: pa.Column(
                frames.Text,
                [required, _check(reasons.EMAIL_INVALID, rules.is_invalid_email)],
            ),
        },
        name="valid rows",
    )


def _check(code: str, is_broken: Callable[[pd.Series], pd.Series]) -> pa.Check:
    """Return a check of a whole column, with the code of a reason as its error."""
    return pa.Check(
        lambda texts: ~is_broken(texts),
        error=code,
        ignore_na=False,  # no cell is missing; pandera would search for them
    )


class _Failure(NamedTuple):
    """The rows in which a check of a column fails."""

    column: str
    code: str
    is_failing: pd.Series


def validate_rows(read: sheet.Sheet, *, today: dt.date) -> sheet.Sheet:
    """Return the sheet with every reason of every row among its rejections.

    Rows that are already rejected (`row-cells`) get no other reason.  Of rejected rows
    only the original text is kept.

    Args:
        read: The result of `reader.read_sheet`.
        today: The last valid birth date.
    """
    schema, values = build_schema(today), read.valid_values
    failures = _find_failures(schema, values)
    is_valid = pd.Series(True, index=values.index)
    for failure in failures:
        is_valid &= ~failure.is_failing
    return read.replace(
        values=values[is_valid] if failures else values,
        rejections=sheet.join_rejections([read.rejections, *_reject(values, failures)]),
    )


def _find_failures(schema: pa.DataFrameSchema, values: pd.DataFrame) -> list[_Failure]:
    """Return the checks that fail, in the order of the schema.

    Each check is called with its column, as pandera itself does, and returns which rows
    pass.  `schema.validate` also describes the cells that fail, which takes 15 ms for
    each such check (docs/decisions/0009-verdicts.md).
    """
    results = [
        _Failure(name, check.error, ~check(values[name]).check_output)
        for name, column in schema.columns.items()
        for check in column.checks
    ]
    return [result for result in results if result.is_failing.any()]


def _reject(values: pd.DataFrame, failures: list[_Failure]) -> list[pd.DataFrame]:
    """Return the rejections for `failures`: empty cells first, then by column."""
    is_empty = pd.DataFrame(
        {f.column: f.is_failing for f in failures if f.code == reasons.REQUIRED_MISSING}
    )
    missing = wording.describe_missing(is_empty)
    found = [sheet.make_rejections(reasons.REQUIRED_MISSING, missing)]
    for failure in failures:
        if failure.code != reasons.REQUIRED_MISSING:
            refused = values[failure.column][failure.is_failing]
            texts = wording.describe(failure.code, failure.column, refused)
            texts += advice.advise(failure.code, failure.column, refused)
            found.append(sheet.make_rejections(failure.code, texts))
    return found
