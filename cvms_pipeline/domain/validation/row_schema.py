"""The rules of a row as a pandera schema, and the step that validates rows with it.

`list_rules` is the table of rules: for each column its rules, in the order of a row's
reasons, with the code of the reason.  In the schema, each is a check.  The masks are in
`rules`, the texts in `wording`; `duplicates` compares rows with other rows.
"""

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from cvms_pipeline.domain.sheets import frames, sheet
from cvms_pipeline.domain.validation import advice, rules
from cvms_pipeline.domain.vocabulary import columns, reasons, wording


class _Rule(NamedTuple):
    """The code of a reason, and the mask of `rules` that says which texts have it."""

    code: str
    is_broken: Callable[[pd.Series], pd.Series]


_Rules = Mapping[str, Sequence[_Rule]]
"""The rules of each column, by its name."""


@functools.lru_cache(maxsize=1)
def list_rules(today: dt.date) -> _Rules:
    """Return the rules of each column; no birth date is after `today`."""
    is_invalid_date = functools.partial(rules.is_invalid_birth_date, today=today)
    is_ambiguous_date = functools.partial(rules.is_ambiguous_birth_date, today=today)
    required = _Rule(reasons.REQUIRED_MISSING, rules.is_empty)
    name = (
        required,
        _Rule(reasons.NAME_CHARACTERS, rules.is_invalid_name),
        _Rule(reasons.NAME_LENGTH, rules.is_too_long),
    )
    return {
        columns.FIRST_NAME: name,
        columns.LAST_NAME: name,
        columns.BIRTH_DATE: (
            required,
            _Rule(reasons.BIRTH_DATE_INVALID, is_invalid_date),
            _Rule(reasons.BIRTH_DATE_AMBIGUOUS, is_ambiguous_date),
        ),
        columns.EMAIL: (
            required,
            _Rule(reasons.EMAIL_INVALID, rules.is_invalid_email),
        ),
    }


def build_schema(today: dt.date) -> pa.DataFrameSchema:
    """Return the schema of valid rows, which has the rules as its checks."""
    return pa.DataFrameSchema(
        {
            name: pa.Column(frames.Text, [_make_check(rule) for rule in of_column])
            for name, of_column in list_rules(today).items()
        },
        name="valid rows",
    )


def _make_check(rule: _Rule) -> pa.Check:
    """Return a check of a whole column, with the code of a reason as its error."""
    return pa.Check(
        lambda texts: ~rule.is_broken(texts),
        error=rule.code,
        ignore_na=False,  # no cell is missing; pandera would search for them
    )


class _Failure(NamedTuple):
    """The rows in which a rule of a column is broken, as a Boolean for each row."""

    column: str
    code: str
    is_failing: npt.NDArray[np.bool_]


def validate_rows(read: sheet.Sheet, *, today: dt.date) -> sheet.Sheet:
    """Return the sheet with every reason of every row among its rejections.

    Rows that are already rejected (`row-cells`) get no other reason.  Of rejected rows
    only the original text is kept.

    Args:
        read: The result of `reader.read_sheet`.
        today: The last valid birth date.
    """
    values = read.valid_values
    failures = _find_failures(list_rules(today), values)
    is_invalid = [failure.is_failing for failure in failures]
    return read.replace(
        values=values[~np.logical_or.reduce(is_invalid)] if failures else values,
        rejections=sheet.join_rejections([read.rejections, *_reject(values, failures)]),
    )


def _find_failures(listed: _Rules, values: pd.DataFrame) -> list[_Failure]:
    """Return the rules that are broken, in their order.

    Each is asked about its whole column, as pandera asks the check that is made of it.
    But `schema.validate` also describes the cells that fail, which takes 15 ms for each
    such check (docs/decisions/0009-verdicts.md).
    """
    results = [
        _Failure(name, rule.code, rule.is_broken(values[name]).to_numpy())
        for name, of_column in listed.items()
        for rule in of_column
    ]
    return [result for result in results if result.is_failing.any()]


def _reject(values: pd.DataFrame, failures: list[_Failure]) -> list[pd.DataFrame]:
    """Return the rejections for `failures`: empty cells first, then by column."""
    is_empty = {
        f.column: f.is_failing for f in failures if f.code == reasons.REQUIRED_MISSING
    }
    missing = wording.describe_missing(pd.DataFrame(is_empty, values.index))
    found = [sheet.make_rejections(reasons.REQUIRED_MISSING, missing)]
    for failure in failures:
        if failure.code != reasons.REQUIRED_MISSING:
            refused = values[failure.column][failure.is_failing]
            texts = wording.describe(failure.code, failure.column, refused)
            texts += advice.advise(failure.code, failure.column, refused)
            found.append(sheet.make_rejections(failure.code, texts))
    return found
