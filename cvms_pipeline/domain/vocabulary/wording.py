"""The exact texts of row reasons, as providers read them in the error report.

They lack the `Line N: ` at the beginning, which `error_report` adds.  Functions work on
whole columns: they take a series of values and return texts with the same index.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from cvms_pipeline.domain.text import arrow, display
from cvms_pipeline.domain.vocabulary import columns, reasons

MAX_SHOWN = 320
"""The most characters of a value in a text: the longest address of SMTP."""

BROKEN_QUOTES = "Row has broken quotation marks"

_MAX_REPEATED = 41
_MAX_NAME = 80
_FORMULA_RESULT = re.compile(
    r"true|false|#[a-z0-9/]+[!?]?|[0.,]+|1/0/1900|\W+", re.IGNORECASE
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}

UNCERTAIN_ADVICE = (
    '; correct the letters, or save the original as "CSV UTF-8" and drop it again'
)

UNMOVED_ADVICE = (
    f"; move what is in the columns {columns.EXTRA_LABEL} to where it belongs, or"
    " remove it"
)

_TEXTS: Mapping[str, str] = {
    reasons.NAME_CHARACTERS: "{label}: invalid characters: {value}",
    reasons.NAME_LENGTH: f"{{label}}: longer than {reasons.MAX_NAME_LENGTH} characters",
    reasons.BIRTH_DATE_INVALID: "{label}: invalid {label}: {value}",
    reasons.BIRTH_DATE_AMBIGUOUS: "{label}: day and month may be swapped: {value}",
    reasons.EMAIL_INVALID: "{label}: invalid email address: {value}",
}
"""What is wrong with a value of a column, by the code of the reason."""


def describe_missing(is_empty: pd.DataFrame) -> pd.Series:
    """Return the texts for the rows in which required cells are empty.

    Args:
        is_empty: A column of Booleans for each column that has empty cells.
    """
    rows = is_empty[is_empty.any(axis="columns")]
    labels = np.array([f"{columns.LABELS[str(name)]}, " for name in rows], "O")
    # True times a text is the text, False times a text is empty; they are added up.
    listed = pd.Series(rows.to_numpy() @ labels, rows.index, dtype=str)
    return "Required fields are missing: [" + listed.str.removesuffix(", ") + "]"


def describe(code: str, column: str, values: pd.Series) -> pd.Series:
    """Return the texts for the `values` of `column` that are refused for `code`."""
    text = _TEXTS[code].replace("{label}", columns.LABELS[column])
    before, has_value, _ = text.partition("{value}")
    if not has_value:
        return pd.Series(text, values.index, dtype=str)
    shown = arrow.shorten(arrow.to_arrow(values), MAX_SHOWN)
    return before + arrow.like_series(values, shown)


def describe_duplicates(emails: pd.Series, lines: pd.Series | None = None) -> pd.Series:
    """Return the texts for duplicate rows, which have `emails`.

    Args:
        emails: The cleaned e-mail address of each row.
        lines: The earlier line of the same recipient, as text; None if that recipient
            has been stored before.
    """
    label = columns.LABELS[columns.EMAIL]
    texts = f"{label}: invalid email address: Duplicated " + emails
    return texts if lines is None else texts + " (same person as line " + lines + ")"


def describe_unchanged(emails: pd.Series, counts: pd.Series) -> pd.Series:
    """Return the texts for duplicates that would have corrected an e-mail address.

    Args:
        emails: The cleaned e-mail address of each row.
        counts: How many rows of the file have the birth date of each row; so many that
            the date does not say who the person is.
    """
    return (
        describe_duplicates(emails)
        + " (the stored address was not changed, because "
        + counts.astype(str)
        + " rows of this file have the same birth date)"
    )


def describe_uncertain(cells: Iterable[tuple[str, str, str | None]]) -> str:
    """Return the text for a row with letters that cannot be read with certainty.

    Args:
        cells: The column of each such cell, its text, and what it probably was.
    """
    found = [
        f"{columns.LABELS[column]}: letters cannot be read with certainty:"
        f" {display.shorten(text, MAX_SHOWN)}"
        + (f" (probably {probable})" if probable else "")
        for column, text, probable in cells
    ]
    return "; ".join(found) + UNCERTAIN_ADVICE


def describe_width(count: int, expected: int) -> str:
    """Return the text for a row of `count` cells below `expected` columns."""
    cells = "1 cell" if count == 1 else f"{_format_count(count)} cells"
    return f"Row has {cells}, expected {_format_count(expected)}"


def describe_split_name(parts: Sequence[str], delimiter: str) -> str:
    """Return what to add to the text for a row with a `delimiter` in a name.

    Args:
        parts: The two cells that were one name; empty if it is not known which.
        delimiter: What separates cells.
    """
    sign = _DELIMITERS.get(delimiter, f'"{delimiter}"')
    if not parts:
        return (
            f", probably because of a {sign} in a name: write the name without the"
            f" {sign}"
        )
    shown = [
        display.escape_unprintable(display.shorten(part, _MAX_NAME)) for part in parts
    ]
    written = (
        f"{shown[0]}{delimiter} {shown[1]}" if delimiter != "\t" else " ".join(shown)
    )
    return (
        f', because of the {sign} in "{written}": write {" ".join(shown)} without the'
        f" {sign}"
    )


def describe_repeated(
    count: int, lines: tuple[int, int], column: str, value: str
) -> str:
    """Return the sentence on `count` rows that hold nothing but one value.

    Args:
        count: The number of rows, at least two.
        lines: The first and the last of them.
        column: The column of the value.
        value: The value, as it was written.  It is named only if it is what formulas
            result in, such as FALSE: the sentence is kept permanently, and a cell that
            somebody typed is not.
    """
    shown = display.escape_unprintable(display.shorten(value.strip(), _MAX_REPEATED))
    is_shown = _FORMULA_RESULT.fullmatch(value.strip()) is not None
    what = f'"{shown}"' if is_shown else "one and the same value"
    return (
        f"{count:,} rows (lines {lines[0]} to {lines[1]}) were left out, because they"
        f" hold nothing but {what} in {columns.LABELS[column]}, which is what a"
        " dragged formula leaves."
    )


def describe_breach(lines: tuple[int, int] | None = None) -> str:
    """Return the text for broken quotation marks, which may join a range of lines."""
    joined = f" (lines {lines[0]} to {lines[1]})" if lines else ""
    return f"{BROKEN_QUOTES}{joined}"


def _format_count(cells: int) -> str:
    """Return the number of cells; beyond the maximum they are not counted."""
    most = columns.MAX_CELLS
    return f"{cells}" if cells <= most else f"more than {most:,}"
