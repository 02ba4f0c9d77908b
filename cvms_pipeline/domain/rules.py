"""The rules of DESIGN 4 about values, each a mask over a whole column.

Every function takes cleaned values and returns a Boolean series with the same
index; True is against the rule.  Which reason a rule gives, and that an empty cell
breaks no other rule than being required, is said in `schema`.
"""

import datetime as dt
import unicodedata

import pandas as pd

from cvms_pipeline.domain import cleaning, reasons

MAX_AGE_YEARS = 120
MAX_EMAIL_LENGTH = 254

_LETTER, _OTHER, _FOREIGN = "L", "-", "#"
_PUNCTUATION = frozenset(" ." + cleaning.APOSTROPHES + cleaning.HYPHENS)

_DATE = "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
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
        if category.startswith("L"):
            kind = _LETTER
        elif category.startswith("M") or category == "Nd" or char in _PUNCTUATION:
            kind = _OTHER
        self[code] = kind
        return kind


_KINDS = _Kinds()


def has_odd_characters(names: pd.Series) -> pd.Series:
    """Return which names hold a character no name has, or no letter."""
    kinds = {name: name.translate(_KINDS) for name in set(names.tolist())}
    odd = [n for n, kind in kinds.items() if _FOREIGN in kind or _LETTER not in kind]
    return names.isin(odd)


def is_too_long(names: pd.Series) -> pd.Series:
    """Return which names have more code points than a name may have."""
    return names.str.len().astype("int64") > reasons.MAX_NAME_LENGTH


def birth_dates(texts: pd.Series) -> pd.Series:
    """Return the dates (datetime64[us]) that `texts` mean.

    NaT where a text is not M/D/YYYY in ASCII digits, or not in the calendar.
    """
    is_shaped = texts.str.fullmatch(_DATE).astype(bool)
    dates = pd.to_datetime(
        texts.where(is_shaped, ""),
        format="%m/%d/%Y",
        errors="coerce",
    )
    return dates.astype("datetime64[us]")


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
