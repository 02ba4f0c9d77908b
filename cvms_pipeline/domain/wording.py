"""The exact texts of row reasons, as providers read them in the error report.

Without the `Line N: ` before them, which `report` adds.  Whole columns at a time:
a series of values in, a series of texts with the same index out.
"""

import pandas as pd

from cvms_pipeline.domain import cleaning, columns, reasons, strings, tokenising

MAX_SHOWN = 320
"""As many characters of a value stand in a text: the longest address SMTP can carry."""

BROKEN_QUOTES = "Row has broken quotation marks"


def required_missing(missing: list[str]) -> str:
    """Return the text for a row in which the columns `missing` are empty."""
    labels = ", ".join(columns.LABELS[column] for column in missing)
    return f"Required fields are missing: [{labels}]"


def name_characters(column: str, names: pd.Series) -> pd.Series:
    """Return the texts for the refused `names` of `column`."""
    return f"{columns.LABELS[column]}: invalid characters: " + _shown(names)


def name_length(column: str, names: pd.Series) -> pd.Series:
    """Return the texts for the too long `names` of `column`."""
    text = f"{columns.LABELS[column]}: longer than {reasons.MAX_NAME_LENGTH} characters"
    return pd.Series(text, index=names.index, dtype=str)


def birth_date_invalid(column: str, dates: pd.Series) -> pd.Series:
    """Return the texts for the refused `dates` (as written) of `column`."""
    return f"{columns.LABELS[column]}: invalid {columns.LABELS[column]}: " + _shown(
        dates
    )


def email_invalid(column: str, emails: pd.Series) -> pd.Series:
    """Return the texts for the refused `emails` of `column`."""
    return f"{columns.LABELS[column]}: invalid email address: " + _shown(emails)


def duplicate_recipient(emails: pd.Series) -> pd.Series:
    """Return the texts for rows, given by their `emails`, that are in the store."""
    label = columns.LABELS[columns.EMAIL]
    return f"{label}: invalid email address: Duplicated " + emails


def duplicate_in_file(emails: pd.Series, lines: pd.Series) -> pd.Series:
    """Return the texts for rows whose recipient the earlier `lines` hold."""
    return duplicate_recipient(emails) + " (same person as line " + lines + ")"


def row_cells(count: int, expected: int) -> str:
    """Return the text for a row of `count` cells beneath `expected` columns."""
    cells = "1 cell" if count == 1 else f"{_counted(count)} cells"
    return f"Row has {cells}, expected {_counted(expected)}"


def _counted(cells: int) -> str:
    """Return how many cells there are, as far as they are looked at."""
    most = tokenising.MAX_CELLS
    return f"{cells}" if cells <= most else f"more than {most:,}"


def _shown(values: pd.Series) -> pd.Series:
    """Return `values`, each cut to `MAX_SHOWN` characters."""
    written = values.tolist()
    if max(map(len, written), default=0) <= MAX_SHOWN:
        return values
    cut = [cleaning.shortened(value, MAX_SHOWN) for value in written]
    shown: pd.Series = strings.column(cut).to_pandas()
    return shown.set_axis(values.index)
