"""The rules of DESIGN 4 about values, each a mask over a whole column.

Every function takes cleaned values and returns a Boolean series with the same
index; True is against the rule.  Which reason a rule gives, and that an empty cell
breaks no other rule than being required, is said in `schema`.
"""

import datetime as dt
import unicodedata

import numpy as np
import pandas as pd

from cvms_pipeline.domain import cleaning, reasons

MAX_AGE_YEARS = 120
MAX_EMAIL_LENGTH = 254

_LETTER, _OTHER, _FOREIGN = "L", "-", "#"
_PUNCTUATION = frozenset(" ." + cleaning.APOSTROPHES + cleaning.HYPHENS)

_DIGIT = "9"
_SHAPE = np.array(list("99/99/9999"))
_PADDED = f"U{_SHAPE.size}"
_DOMAIN_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_LOCAL_PART = "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = f"{_LOCAL_PART}@{_DOMAIN_LABEL}(?:\\.{_DOMAIN_LABEL})+"
"""The HTML standard's pattern of a valid e-mail address, with a dot required."""


class _Kinds(dict[int, str]):
    """For `str.translate`: what each character is in a name, found out once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        kind = _FOREIGN
        if char in _PUNCTUATION or category.startswith("M") or category == "Nd":
            kind = _OTHER  # first: two apostrophes are letters to Unicode
        elif category.startswith("L"):
            kind = _LETTER
        self[code] = kind
        return kind


_KINDS = _Kinds()


def has_odd_characters(names: pd.Series) -> pd.Series:
    """Return which names hold a character no name has, or no letter."""
    mixed = {n for n in names.tolist() if not (n.isascii() and n.isalpha())}
    kinds = {name: name.translate(_KINDS) for name in mixed}
    odd = [n for n, kind in kinds.items() if _FOREIGN in kind or _LETTER not in kind]
    return names.isin(odd)


def is_too_long(names: pd.Series) -> pd.Series:
    """Return which names have more code points than a name may have."""
    return names.str.len().astype("int64") > reasons.MAX_NAME_LENGTH


def birth_dates(texts: pd.Series) -> pd.Series:
    """Return the dates (datetime64[us]) that `texts` mean.

    NaT where a text is not M/D/YYYY in ASCII digits, or not in the calendar.
    """
    padded = np.array([_padded(text) for text in texts.tolist()], dtype=_PADDED)
    chars = padded.view(np.uint32).reshape(len(padded), _SHAPE.size)
    digits = chars[:, _SHAPE == _DIGIT].astype("int64") - ord("0")
    is_shaped = ((digits >= 0) & (digits <= 9)).all(axis=1)
    is_shaped &= (chars[:, _SHAPE != _DIGIT] == ord("/")).all(axis=1)
    digits[~is_shaped] = 0
    month, day = digits[:, 0:2] @ (10, 1), digits[:, 2:4] @ (10, 1)
    year = digits[:, 4:8] @ (1000, 100, 10, 1)
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + month - 1
    dates = months.astype("datetime64[D]") + day - 1
    is_in_calendar = (year > 0) & (month > 0) & (month <= 12) & (day > 0)
    is_in_calendar &= dates.astype("datetime64[M]") == months
    dates[~is_in_calendar] = np.datetime64("NaT")
    return pd.Series(dates.astype("datetime64[us]"), index=texts.index, name=texts.name)


def _padded(text: str) -> str:
    """Return `text` as MM/DD/YYYY if it may be M/D/YYYY, else nothing."""
    if len(text) < _SHAPE.size:
        text = "/".join([part.rjust(2, "0") for part in text.split("/")])
    return text if len(text) == _SHAPE.size else ""


def is_no_birth_date(texts: pd.Series, today: dt.date) -> pd.Series:
    """Return which texts are no date from 120 years before `today` up to it."""
    dates = birth_dates(texts)
    latest = pd.Timestamp(today)
    earliest = pd.Timestamp(_years_before(today, MAX_AGE_YEARS))
    return ~dates.between(earliest, latest)


def is_no_email(texts: pd.Series) -> pd.Series:
    """Return which texts are no e-mail address with a dotted domain."""
    is_short = texts.str.len() <= MAX_EMAIL_LENGTH
    return ~(is_short & texts.where(is_short, "").str.fullmatch(_EMAIL)).astype(bool)


def _years_before(date: dt.date, years: int) -> dt.date:
    try:
        return date.replace(year=date.year - years)
    except ValueError:  # 29 February: the day after 28 February stands for it
        return dt.date(date.year - years, 3, 1)
