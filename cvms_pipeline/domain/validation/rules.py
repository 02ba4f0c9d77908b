"""What a valid value is, as masks over whole columns (docs/csv-format.md).

Every function takes cleaned values (strings) and returns a mask, a series of Booleans:
True is against the rule.  Only `is_empty` is true of an empty text.  The reasons that
follow are in `row_schema`.
"""

import datetime as dt
import functools

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain.text import arrow, normalise
from cvms_pipeline.domain.vocabulary import reasons

MAX_AGE_YEARS = 120
MAX_EMAIL_LENGTH = 254

_LETTER = f"[^\\P{{L}}{normalise.APOSTROPHES}]"  # Unicode calls some of them letters
_MARKS = f"{normalise.APOSTROPHES}{normalise.MIDDLE_DOTS}{normalise.JOINERS}"
_OTHER = f"[\\p{{M}}\\p{{Nd}}\\p{{Nl}} .{_MARKS}\\{normalise.HYPHENS}]"
_NAME = f"\\A(?:(?:{_OTHER}*{_LETTER})+{_OTHER}*)?\\z"
_REFUSED = r"[!-&(-,/:-@\[-_{-~\x00-\x1f\x7f]"
"""The characters of ASCII that no name has."""

_LATIN_LETTERS = r"[A-Za-z\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{17e}]+"
_USUAL_NAME = rf"\A(?:{_LATIN_LETTERS}(?:[ '-]{_LATIN_LETTERS})*)?\z"
"""Nearly all names.  The other patterns allow them, too, but take long to build."""

_BIRTH_DATE = r"\A[0-9]{1,2}/(?P<day>[0-9]{1,2})/[0-9]{4}\z"
_OVER_12, _TO_12 = "(?:1[3-9]|2[0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_EVIDENCE = r"\A{}(?:[/.]{}[/.](?:[0-9]{{2}}){{1,2}}|-{}-[0-9]{{4}})\z"
_DAY_FIRST = _EVIDENCE.format(_OVER_12, _TO_12, _TO_12)
_MONTH_FIRST = _EVIDENCE.format(_TO_12, _OVER_12, _OVER_12)
"""What somebody writes who has the day or the month first, valid as a date or not."""

_DAY_AND_MONTH = r"\A([0-9]{1,2})/([0-9]{1,2})/"
_STUCK = r"\A'"
_CLITIC = r"\A'[dkmnstDKMNST][ -]"  # Dutch and Afrikaans: 't Hooft, 's-Gravesande
_LATIN = r"[^\P{Latin}\x{2160}-\x{2188}]"  # without Roman numerals
_ALIKE = r"[\p{Cyrillic}\p{Greek}\x{0531}-\x{0556}\x{0560}-\x{0588}]"  # Armenian, too
_PERHAPS_ALIKE = (
    r"[\x{0370}-\x{0588}\x{1c80}-\x{1c8f}\x{1f00}-\x{1fff}\x{a640}-\x{a69f}]"
)
_WITHIN = f"[\\p{{M}}{normalise.APOSTROPHES}]*"
_MIXED = "|".join(
    f"{one}{_WITHIN}{other}"
    for one, other in (
        *((_LATIN, _ALIKE), (_ALIKE, _LATIN)),
        *((r"\p{Cyrillic}", r"\p{Greek}"), (r"\p{Greek}", r"\p{Cyrillic}")),
    )
)
_MAX_LOCAL_PART = 64
_ATOM = "[a-zA-Z0-9!#$%&'*+/=?^_~-]"
_LOCAL_PART = f"[a-zA-Z0-9_](?:(?:\\.?{_ATOM})*\\.?[a-zA-Z0-9_-])?"
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_LAST_LABEL = "(?:[a-zA-Z]{2,63}|[xX][nN]--[a-zA-Z0-9-]{0,58}[a-zA-Z0-9])"
_EMAIL = f"\\A(?:{_LOCAL_PART}@(?:{_LABEL}\\.)+{_LAST_LABEL})?\\z"
"""An address that mail servers take: RFC 5321 without quoted and literal forms.

Backtick, braces and `|` are not allowed, which are legal and only occur by mistake.
Nor is a mark at an end of the local part: it is stuck to the address.
"""

_LONG_LOCAL_PART = rf"\A[^@]{{{_MAX_LOCAL_PART + 1}}}"
_RESERVED_NAMES = (".invalid", ".test", ".localhost")
"""The names that RFC 2606 keeps from existing.

`.example` is kept, too, and allowed: people try the upload with it.
"""


def is_invalid_name(names: pd.Series) -> pd.Series:
    """Return which names have characters that are refused, each for a reason below."""
    is_simple = arrow.has_only_letters(arrow.to_arrow(names))
    others = names[~arrow.like_series(names, is_simple)]
    unusual = others[~arrow.match_pattern(others, _USUAL_NAME)]
    if unusual.empty:
        return pd.Series(False, names.index)
    is_invalid = has_invalid_characters(unusual)
    for is_broken in (_has_stuck_mark(unusual), mixes_scripts(unusual)):
        is_invalid |= is_broken
    return is_invalid.reindex(names.index, fill_value=False)


def has_invalid_characters(names: pd.Series) -> pd.Series:
    """Return which names hold a character that no name has, or no letter."""
    is_refused = arrow.match_pattern(names, _REFUSED)
    return is_refused if is_refused.all() else ~arrow.match_pattern(names, _NAME)


def _has_stuck_mark(names: pd.Series) -> pd.Series:
    """Return which names have an apostrophe that marks a spreadsheet's text cell."""
    is_marked = arrow.match_pattern(names, _STUCK)
    if not is_marked.any():
        return is_marked
    return is_marked & ~arrow.match_pattern(names, _CLITIC)


def mixes_scripts(names: pd.Series) -> pd.Series:
    """Return which names have letters of alphabets that look alike in one word.

    Only Latin, Cyrillic, Greek and their like: a Cyrillic letter in a Latin name cannot
    be seen, and would make another person.
    """
    is_mixed = arrow.match_pattern(names, _PERHAPS_ALIKE)
    # Few files have such a letter: building the pattern takes as long as all names.
    if is_mixed.any():
        is_mixed &= arrow.match_pattern(names, _MIXED)
    return is_mixed


def is_too_long(names: pd.Series) -> pd.Series:
    """Return which names have more code points than a name may have."""
    return names.str.len() > reasons.MAX_NAME_LENGTH


def parse_birth_dates(texts: pd.Series) -> pd.Series:
    """Return `texts` as dates (datetime64[us]).

    A text that is not M/D/YYYY in ASCII digits, or not in the calendar, becomes NaT.
    """
    held = arrow.to_arrow(texts)
    day = pc.struct_field(pc.extract_regex(held, _BIRTH_DATE), "day")
    shaped = pc.if_else(pc.is_valid(day), held, None)
    dates = pc.strptime(shaped, format="%m/%d/%Y", unit="us", error_is_null=True)
    # Arrow reads 30 February as 1 March: a date exists if its day is as written.
    is_in_calendar = pc.and_(
        pc.equal(pc.day(dates), pc.cast(day, pa.int64())),
        pc.greater(pc.year(dates), 0),
    )
    return arrow.like_series(texts, pc.if_else(is_in_calendar, dates, None))


def is_invalid_birth_date(texts: pd.Series, today: dt.date) -> pd.Series:
    """Return which texts are no date from 120 years before `today` up to it."""
    earliest = _years_before(today, MAX_AGE_YEARS)
    is_in_range = parse_birth_dates(texts).between(
        pd.Timestamp(earliest), pd.Timestamp(today)
    )
    return ~is_in_range & ~is_empty(texts)


def is_ambiguous_birth_date(texts: pd.Series, today: dt.date) -> pd.Series:
    """Return which texts are another valid date with day and month exchanged.

    None is where at least as many texts can only be month first as can only be day
    first: so one typing error is no evidence against a file of months first.  Texts
    that are no valid dates are evidence, too, such as 25/12/90, 25.12.1990, 31/2/1990.

    Args:
        texts: All birth dates of a file, since they are evidence for each other.
        today: The last valid birth date; a date that is not valid is not ambiguous.
    """
    day_first = arrow.match_pattern(texts, _DAY_FIRST)
    if not day_first.any():  # the usual file, in a third of a millisecond
        return day_first
    month_first = arrow.match_pattern(texts, _MONTH_FIRST)
    if day_first.sum() <= month_first.sum():
        return pd.Series(False, texts.index)
    written = parse_birth_dates(texts)
    swapped = parse_birth_dates(_exchange_day_and_month(texts))
    is_either = written.notna() & swapped.notna() & (written != swapped)
    return is_either & ~is_invalid_birth_date(texts, today)


def _exchange_day_and_month(texts: pd.Series) -> pd.Series:
    held = arrow.to_arrow(texts)
    swapped = pc.replace_substring_regex(held, _DAY_AND_MONTH, r"\2/\1/")
    return arrow.like_series(texts, swapped)


def is_invalid_email(texts: pd.Series) -> pd.Series:
    """Return which texts are no e-mail address that a mail server takes."""
    lengths = texts.str.len()
    is_long = lengths > MAX_EMAIL_LENGTH
    short = texts.mask(is_long, "") if is_long.any() else texts  # slow on long texts
    is_invalid = is_long | ~arrow.match_pattern(short, _EMAIL) | _is_reserved(short)
    if (lengths > _MAX_LOCAL_PART).any():
        is_invalid |= arrow.match_pattern(short, _LONG_LOCAL_PART)
    return is_invalid


def _is_reserved(emails: pd.Series) -> pd.Series:
    lower = pc.ascii_lower(arrow.to_arrow(emails))
    is_reserved = (pc.ends_with(lower, name) for name in _RESERVED_NAMES)
    return arrow.like_series(emails, functools.reduce(pc.or_, is_reserved))


def is_empty(texts: pd.Series) -> pd.Series:
    """Return which texts are empty."""
    return texts == ""


def _years_before(date: dt.date, years: int) -> dt.date:
    try:
        return date.replace(year=date.year - years)
    except ValueError:  # 29 February, in a year without that day: 1 March
        return dt.date(date.year - years, 3, 1)
