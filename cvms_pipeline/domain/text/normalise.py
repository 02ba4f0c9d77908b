"""Which texts count as the same: cleaning a cell, and the match key.

The characters that are white space or cannot be seen are listed here, and how texts are
compared (docs/csv-format.md, "Cells" and "Duplicates").  `rules` decides which values
are valid.
"""

import re
import string
import unicodedata
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain.text import arrow

_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Every character of Unicode's property White_Space, as ranges of a pattern."""

JOINERS = "\u200c\u200d"
"""The joiners of Persian and Indic names; elsewhere they cannot be seen."""

_INVISIBLE = (
    "\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # control characters
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters that cannot be seen, as ranges of a pattern, without the joiners.

All of Unicode's property Default_Ignorable_Code_Point, and what looks as empty:
control characters, the blank pattern of Braille (U+2800), and the marks of interlinear
notes and of objects (U+FFF9 to U+FFFC).  They are removed everywhere, not only at the
ends: a spreadsheet does not show them, so nobody could understand why a name with one
is refused, and two spellings of one name would be two people.
"""

BLANK = _WHITE_SPACE + _INVISIBLE + JOINERS
"""Ranges of a pattern: a text of these characters alone is empty after cleaning."""

_JOINING = (
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\u1cd0-\u1cff"
    "\ua840-\ua87f\ua8e0-\ua8ff\ua9e0-\ua9ff\uaa60-\uaa7f\U00011000-\U000115ff"
)
"""The scripts that need joiners: from Arabic to the Indic ones, Khmer and Mongolian."""

_MODIFIER_APOSTROPHES = "\u02bc\u02bb\u02b9\u02bd\u02be\u02bf\ua78c"
"""Apostrophes, half rings and primes that Unicode calls letters."""

APOSTROPHES = "'\u2019\u2018\u201b`\xb4\u2032\uff07\u055a\u05f3" + _MODIFIER_APOSTROPHES
HYPHENS = "-\u2010\u2011\u2013\u05be\u058a"
MIDDLE_DOTS = "\xb7\u2027\u30fb\uff65"
"""The plain character first, then those that people type in its place."""

MAX_CLEANED = 100_000
"""Longer cells are cleaned at their ends only: no value of that length is valid, and
a million changes inside need a hundred times the memory of the text."""

_MAX_NORMALIZED = 1_000
"""Longer cells are not normalised: the time grows with the square of a run of
combining marks, and no value of that length is valid."""

_WHITE = re.compile(f"[{_WHITE_SPACE}]+")
_UNSEEN = re.compile(f"[{_INVISIBLE}]+")
_JOINED = re.compile(f"(?<=[{_JOINING}])([{JOINERS}])[{JOINERS}]*(?=[{_JOINING}])")
_BLANK = re.compile(f"[{BLANK}]*")
_FILLED = re.compile(f"[^{BLANK}]")
_UNUSUAL = r"[^ -~]|\A |  | \z"

_VISIBLE = bytes(range(0x21, 0x7F))  # ASCII
_LETTERS = string.ascii_letters.encode()

_MARKS = " .'-\xb7"
"""Marks at the ends of a name make no difference."""

_UNUSUAL_NAME = rf"{_UNUSUAL}|`|\A[.'-]|[.'-]\z"
_DOT_OF_I = re.compile("(?<=[i\u1ecb\u012f])\u0307")
_FOLDED = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'")
    | dict.fromkeys(HYPHENS, "-")
    | dict.fromkeys(MIDDLE_DOTS, "\xb7")
    | dict.fromkeys(JOINERS)
    | {"\u0131": "i"}
)


def is_blank(text: str) -> bool:
    """Return whether nothing of `text` can be seen: it is empty after cleaning."""
    if "!" <= text[:1] <= "~":  # the usual text, without a search
        return False
    return _FILLED.search(text) is None


def strip_end(text: str) -> str:
    """Return `text` without what cannot be seen at its end; linear in its length."""
    run = _BLANK.match(text[::-1])
    return text[: len(text) - run.end()] if run else text


def clean_text(text: str) -> str:
    """Return `text` without superfluous white space, in Unicode's form NFC.

    Surrounding white space and characters that cannot be seen are removed, and repeated
    white space becomes one space.  Cleaning a second time changes nothing.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    if len(text) > MAX_CLEANED:
        text = strip_end(strip_end(text)[::-1])[::-1]
        if len(text) > MAX_CLEANED:
            return text
    seen = _keep_needed_joiners(_UNSEEN.sub("", text))
    spaced = _WHITE.sub(" ", seen).strip(" ")
    if len(spaced) > _MAX_NORMALIZED:
        return spaced
    return unicodedata.normalize("NFC", spaced)


def _keep_needed_joiners(text: str) -> str:
    """Return `text` with one joiner at most between two letters that may need it.

    Persian and Indic words are written with joiners.  Elsewhere they cannot be seen.
    """
    if not any(joiner in text for joiner in JOINERS):
        return text
    places = [found.start(1) for found in _JOINED.finditer(text) if _is_needed(found)]
    kept = set(places)
    return "".join(
        char for at, char in enumerate(text) if char not in JOINERS or at in kept
    )


def _is_needed(joined: re.Match[str]) -> bool:
    """Return whether the characters around a joiner are letters or belong to one."""
    around = joined.string[joined.start() - 1], joined.string[joined.end()]
    return all(unicodedata.category(char)[0] in "LM" for char in around)


def clean_texts(texts: pd.Series) -> pd.Series:
    """Return a string series with each of `texts` cleaned; the same index."""
    if arrow.holds_only(texts, _VISIBLE):
        return texts
    held = arrow.to_arrow(texts)
    is_clean = arrow.has_only_visible(held)
    is_unusual = arrow.find_in_others(held, _UNUSUAL, but=is_clean)
    cleaned = _replace_unusual(held, clean_text, is_unusual, usual=held)
    return texts if cleaned.equals(held) else arrow.like_series(texts, cleaned)


def make_match_keys(names: pd.Series) -> pd.Series:
    """Return `names` as they are compared; the same index.

    NFKC and case folding are repeated until nothing changes.  Apostrophes, hyphens and
    middle dots of every form become the plain one, the dotless and the dotted i become
    i, and marks at the ends are removed.  Accents make a difference.
    """
    held = arrow.to_arrow(names)
    lower = pc.ascii_lower(held)
    if arrow.holds_only(names, _LETTERS):
        return arrow.like_series(names, lower)
    is_simple = arrow.has_only_letters(held)
    is_unusual = arrow.find_in_others(held, _UNUSUAL_NAME, but=is_simple)
    keys = _replace_unusual(held, _make_key, is_unusual, usual=lower)
    return arrow.like_series(names, keys)


def _replace_unusual(
    held: pa.LargeStringArray,
    function: Callable[[str], str],
    is_unusual: pa.BooleanArray,
    *,
    usual: pa.LargeStringArray,
) -> pa.LargeStringArray:
    """Return `usual` with the result of `function` for each unusual text of `held`.

    Nearly all texts are usual: printable ASCII without a superfluous space.  Cleaning
    does not change them, and their case folding is lower case.
    """
    texts = held.filter(is_unusual).to_pylist()
    if not texts:
        return usual
    results = {text: function(text) for text in set(texts)}
    replacements = arrow.from_texts([results[text] for text in texts])
    return pc.replace_with_mask(usual, is_unusual, replacements)


def _make_key(name: str) -> str:
    if len(name) > _MAX_NORMALIZED:
        return clean_text(name)
    before, after = "", name
    while before != after:
        before = after
        after = unicodedata.normalize("NFKC", after.translate(_FOLDED)).casefold()
        after = unicodedata.normalize("NFKC", after.translate(_FOLDED))
        after = clean_text(_DOT_OF_I.sub("", after)).strip(_MARKS)
    return after
