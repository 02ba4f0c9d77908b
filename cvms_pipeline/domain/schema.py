"""Judging rows: which rule rejects which row, as a pandera schema.

This is the table to read: one `Rule` per reason and column, in the order in
which a row's reasons are told.  What exactly a rule asks of a value is `rules`,
how it is put is `wording`; duplicates are `duplicates`.

The rules run once over whole columns.  Each row gets a verdict, a number with
one bit for each rule that it breaks; the schema then judges every *different*
verdict once a process: there are few, however many rows are rejected.  So pandera's
failure cases cost the same for ten rows and for 5,000, and hold no value.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa

from cvms_pipeline.domain import (
    columns,
    reasons,
    rejections,
    rules,
    sheet,
    strings,
    wording,
)

_Mask = Callable[[pd.DataFrame, dt.date], strings.Mask]
_Texts = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table of row reasons (DESIGN 4).

    Attributes:
        code: The reason that a row gets which breaks the rule.
        is_broken: From cleaned values and today to the mask of rows that do.
        texts: From the values of those rows to the texts of the reason.
    """

    code: str
    is_broken: _Mask
    texts: _Texts


def _required() -> Rule:
    return Rule(
        code=reasons.REQUIRED_MISSING,
        is_broken=_is_missing,
        texts=_missing,
    )


def _cell(
    column: str,
    code: str,
    is_broken: Callable[[pd.Series, dt.date], strings.Mask],
    texts: Callable[[str, pd.Series], pd.Series],
) -> Rule:
    """Return a rule about the cells of `column` that are not empty."""
    return Rule(
        code=code,
        is_broken=lambda values, today: (
            ~rules.is_empty(values[column]) & is_broken(values[column], today)
        ),
        texts=lambda values: texts(column, values[column]),
    )


def _name(column: str) -> tuple[Rule, Rule]:
    return (
        _cell(
            column,
            reasons.NAME_CHARACTERS,
            lambda names, _: rules.has_odd_characters(names),
            wording.name_characters,
        ),
        _cell(
            column,
            reasons.NAME_LENGTH,
            lambda names, _: rules.is_too_long(names),
            wording.name_length,
        ),
    )


def _is_missing(values: pd.DataFrame, _: dt.date) -> strings.Mask:
    return _empty(values) > 0


def _missing(values: pd.DataFrame) -> pd.Series:
    which = _empty(values).tolist()
    texts = {
        empty: wording.required_missing(
            [c for bit, c in enumerate(columns.REQUIRED) if empty & 2**bit]
        )
        for empty in set(which)
    }
    return pd.Series([texts[each] for each in which], index=values.index, dtype=str)


def _empty(values: pd.DataFrame) -> np.ndarray:
    """Return which columns are empty, as a number with one bit for each."""
    empty = np.zeros(len(values), dtype="int64")
    for bit, column in enumerate(columns.REQUIRED):
        empty[rules.is_empty(values[column])] += 2**bit
    return empty


RULES: tuple[Rule, ...] = (
    _required(),
    *_name(columns.FIRST_NAME),
    *_name(columns.LAST_NAME),
    _cell(
        columns.BIRTH_DATE,
        reasons.BIRTH_DATE_INVALID,
        rules.is_no_birth_date,
        wording.birth_date_invalid,
    ),
    _cell(
        columns.EMAIL,
        reasons.EMAIL_INVALID,
        lambda emails, _: rules.is_no_email(emails),
        wording.email_invalid,
    ),
)
"""All rules, in the order in which a row's reasons are told."""


def _check(bit: int, rule: Rule) -> pa.Check:
    return pa.Check(lambda verdicts: verdicts & 2**bit == 0, error=rule.code)


SCHEMA = pa.SeriesSchema(
    "int64", [_check(bit, rule) for bit, rule in enumerate(RULES)], name="verdict"
)
"""Judges verdicts: one check for each of `RULES`, its error the reason's code."""


def judge(judged: sheet.Sheet, *, today: dt.date) -> sheet.Sheet:
    """Return the sheet with every reason of every row among its rejections.

    Rows that are rejected already (`row-cells`) get no other reason.  Of rejected
    rows nothing but the original text is kept.

    Args:
        judged: A sheet as `reading` returns it.
        today: The last day on which a recipient can be born.
    """
    values = judged.valid
    verdicts = _verdicts(values, today)
    failures = _failures(verdicts)
    found = (
        rejections.of(code, RULES[number].texts(values.loc[verdicts.isin(broken)]))
        for number, code, broken in failures
    )
    return judged.but(
        rejections=rejections.join(itertools.chain([judged.rejections], found)),
        values=values.loc[verdicts.eq(0)] if failures else values,
    )


def _verdicts(values: pd.DataFrame, today: dt.date) -> pd.Series:
    verdicts = np.zeros(len(values), dtype="int64")
    for bit, rule in enumerate(RULES):
        verdicts[rule.is_broken(values, today)] |= 2**bit
    return pd.Series(verdicts, index=values.index, name="verdict")


def _failures(verdicts: pd.Series) -> list[tuple[int, str, list[int]]]:
    """Return each failing rule: its number, its code, the verdicts that fail it."""
    different = verdicts.unique().tolist()
    _judge_new([verdict for verdict in different if verdict not in _judged])
    failing = [
        (number, rule.code, [v for v in different if number in _judged[v]])
        for number, rule in enumerate(RULES)
    ]
    return [failure for failure in failing if failure[2]]


_judged: dict[int, set[int]] = {}
"""What the schema has said so far: which rules a verdict fails, by their numbers."""


def _judge_new(verdicts: list[int]) -> None:
    """Have the schema judge verdicts that this process has not met before."""
    if not verdicts:
        return
    said: dict[int, set[int]] = {verdict: set() for verdict in verdicts}
    try:
        SCHEMA.validate(pd.Series(verdicts, name="verdict", dtype="int64"), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        for verdict, number in zip(
            cases["failure_case"], cases["check_number"], strict=True
        ):
            said[int(verdict)].add(int(number))
    _judged.update(said)
