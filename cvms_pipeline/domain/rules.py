"""The rules of DESIGN 4 about values, each a mask over a whole column.

Every function takes cleaned values (a string series) and returns a mask, one Boolean
for each; True is against the rule.  Which reason a rule gives, and that an empty cell
breaks no other rule than being required, is said in `schema`.
"""

import datetime as dt
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain import cleaning, reasons, strings

MAX_AGE_YEARS = 120
MAX_EMAIL_LENGTH = 254

_LETTER, _OTHER, _FOREIGN = "L", "-", "#"
_PUNCTUATION = frozenset(" ." + cleaning.APOSTROPHES + cleaning.HYPHENS)

_DIGIT = "9"
_SHAPE = np.array(list("99/99/9999"))
_SHORTEST = len("9/9/9999")
_ONE_DIGIT = ((r"\A([0-9])/", r"0\1/"), (r"/([0-9])/", r"/0\1/"))
"""A month and a day of one digit, and what stands for them."""

_FEBRUARY = 2
_DAYS = np.zeros(100, dtype="int64")  # a month of two digits that is none has no day
_DAYS[1:13] = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DOMAIN_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_LOCAL_PART = "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = f"\\A{_LOCAL_PART}@{_DOMAIN_LABEL}(?:\\.{_DOMAIN_LABEL})+\\z"
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


def has_odd_characters(names: pd.Series) -> strings.Mask:
    """Return which names hold a character no name has, or no letter."""
    held = strings.of(names)
    mixed = np.flatnonzero(~strings.mask(pc.ascii_is_alpha(held)))
    written = strings.some(held, mixed)
    kinds = {name: name.translate(_KINDS) for name in set(written)}
    odd = {n for n, kind in kinds.items() if _FOREIGN in kind or _LETTER not in kind}
    is_odd = np.zeros(len(held), dtype=bool)
    is_odd[mixed] = [name in odd for name in written]
    return is_odd


def is_too_long(names: pd.Series) -> strings.Mask:
    """Return which names have more code points than a name may have."""
    lengths = pc.utf8_length(strings.of(names))
    return strings.mask(pc.greater(lengths, reasons.MAX_NAME_LENGTH))


def birth_dates(texts: pd.Series) -> pd.Series:
    """Return the dates (datetime64[us]) that `texts` mean.

    NaT where a text is not M/D/YYYY in ASCII digits, or not in the calendar.
    """
    held = _padded(strings.of(texts))
    is_long = _lengths(held) == _SHAPE.size
    chars = np.zeros((len(held), _SHAPE.size), dtype="uint8")
    chars[is_long] = strings.inside(held.filter(is_long))[1].reshape(-1, _SHAPE.size)
    digits = chars[:, _SHAPE == _DIGIT].astype("int64") - ord("0")
    is_shaped = ((digits >= 0) & (digits <= 9)).all(axis=1)
    is_shaped &= (chars[:, _SHAPE != _DIGIT] == ord("/")).all(axis=1)
    digits[~is_shaped] = 0
    month, day = digits[:, 0:2] @ (10, 1), digits[:, 2:4] @ (10, 1)
    year = digits[:, 4:8] @ (1000, 100, 10, 1)
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last_day = _DAYS[month] + (is_leap & (month == _FEBRUARY))
    is_in_calendar = (year > 0) & (day > 0) & (day <= last_day)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + day - 1
    dates[~is_in_calendar] = np.datetime64("NaT")
    return pd.Series(dates.astype("datetime64[us]"), index=texts.index, name=texts.name)


def _padded(held: pa.LargeStringArray) -> pa.LargeStringArray:
    """Return M/D/YYYY as MM/DD/YYYY; all else stays what it is, or is no date."""
    lengths = _lengths(held)
    is_short = pa.array((lengths >= _SHORTEST) & (lengths < _SHAPE.size))
    short = held.filter(is_short)
    if not len(short):
        return held
    for written, padded in _ONE_DIGIT:
        short = pc.replace_substring_regex(short, written, padded)
    return pc.replace_with_mask(held, is_short, short)


def is_no_birth_date(texts: pd.Series, today: dt.date) -> strings.Mask:
    """Return which texts are no date from 120 years before `today` up to it."""
    dates = birth_dates(texts).to_numpy()
    earliest = np.datetime64(_years_before(today, MAX_AGE_YEARS))
    return ~((dates >= earliest) & (dates <= np.datetime64(today)))


def is_no_email(texts: pd.Series) -> strings.Mask:
    """Return which texts are no e-mail address with a dotted domain."""
    held = strings.of(texts)
    is_short = pc.less_equal(pc.utf8_length(held), MAX_EMAIL_LENGTH)
    looked_at = pc.if_else(is_short, held, pa.scalar("", strings.KIND))
    return ~strings.mask(pc.match_substring_regex(looked_at, _EMAIL))


def is_empty(texts: pd.Series) -> strings.Mask:
    """Return which texts are empty."""
    mask: strings.Mask = _lengths(strings.of(texts)) == 0
    return mask


def _years_before(date: dt.date, years: int) -> dt.date:
    try:
        return date.replace(year=date.year - years)
    except ValueError:  # 29 February: the day after 28 February stands for it
        return dt.date(date.year - years, 3, 1)


def _lengths(held: pa.LargeStringArray) -> np.ndarray:
    """Return how many bytes each text has."""
    return np.diff(strings.inside(held)[0])
