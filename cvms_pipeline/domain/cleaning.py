"""What counts as the same text: cleaning a cell, and the match key.

Here live the characters that are white space or have no width, and how text is
compared (DESIGN 4, Cells; DESIGN 5, Match key).  Which values are right or wrong
is `rules`.
"""

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cvms_pipeline.domain import strings

WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Every character of Unicode's property White_Space."""

ZERO_WIDTH = "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Characters that no one can see, because they have no width.

They go wherever they stand, not only at the ends: nobody can see them in a
spreadsheet, so a name refused because of one could not be understood.  That holds
for the joiners of Persian and Indic names, the soft hyphen, and the direction
marks that come along when a name or a date is copied out of a web page.
Overrides and embeddings (U+202A and on) change how other text is read: they stay,
and are refused in a name.
"""

APOSTROPHES = "'\u2019\u2018\u02bc\u02bb"
HYPHENS = "-\u2010\u2011\u2013"
"""What else people type for an apostrophe and a hyphen, the plain one first."""

MAX_CLEANED = 100_000
"""Longer cells keep what stands inside them: no value of ours is right at that
length, and a million places to change need a hundred times the memory of the text."""

ELLIPSIS = "…"
"""Stands for what is not shown of a text."""

_MAX_NORMALIZED = 1_000
"""Longer cells stay as they are: normalising takes time with the square of a run
of combining marks, and no value of ours is right at that length."""

_WHITE = re.compile(f"[{WHITE_SPACE}]+")
_WIDTHLESS = re.compile(f"[{ZERO_WIDTH}]+")
_BLANK = re.compile(f"[{WHITE_SPACE}{ZERO_WIDTH}]*")
_IS_ODD = np.array([not 0x20 <= byte <= 0x7E for byte in range(256)])
_FOLDED = str.maketrans(dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(HYPHENS, "-"))


def is_blank(text: str) -> bool:
    """Return whether nothing is left of `text` once it is cleaned."""
    return _BLANK.fullmatch(text) is not None


def clean_text(text: str) -> str:
    """Return `text` without odd white space, in Unicode's form NFC.

    Surrounding white space goes, repeated white space becomes one space, and
    what has no width goes.  Cleaning twice changes nothing more.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    if len(text) > MAX_CLEANED:
        text = text.strip(WHITE_SPACE + ZERO_WIDTH)
        if len(text) > MAX_CLEANED:
            return text
    spaced = _WHITE.sub(" ", _WIDTHLESS.sub("", text)).strip(" ")
    if len(spaced) > _MAX_NORMALIZED:
        return spaced
    return unicodedata.normalize("NFC", spaced)


def shortened(text: str, length: int) -> str:
    """Return `text`, or as much of it as makes `length` with an ellipsis behind."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def clean(texts: pd.Series) -> pd.Series:
    """Return a string series with each of `texts` cleaned; the same index."""
    held = strings.of(texts)
    odd = _odd(held)
    written = strings.some(held, odd)
    cleaned = {text: clean_text(text) for text in set(written)}
    if all(text == left for text, left in cleaned.items()):
        return texts
    return strings.like(
        texts, strings.replaced(held, odd, [cleaned[text] for text in written])
    )


def match_key(names: pd.Series) -> pd.Series:
    """Return `names` as they are compared (DESIGN 5); the same index.

    NFKC and case folding, each until nothing changes any more, then apostrophes
    and hyphens of every shape as the plain one.  Accents count.
    """
    held = strings.of(names)
    odd = _odd(held)
    written = strings.some(held, odd)
    keys = {name: _key(name) for name in set(written)}
    lowered = pc.ascii_lower(held)
    return strings.like(
        names, strings.replaced(lowered, odd, [keys[name] for name in written])
    )


def _key(name: str) -> str:
    if name.isascii():
        return clean_text(name.lower())
    if len(name) > _MAX_NORMALIZED:
        return clean_text(name)
    before, after = "", name
    while before != after:
        before = after
        after = unicodedata.normalize("NFKC", after).casefold().translate(_FOLDED)
        after = clean_text(unicodedata.normalize("NFKC", after))
    return after


def _odd(held: pa.LargeStringArray) -> np.ndarray:
    """Return the places of the texts that have to be looked at one by one.

    The others, nearly all, are printable ASCII without a space too many: cleaning
    changes nothing in them, and case folding is writing in small letters.
    """
    bounds, data = strings.inside(held)
    is_space = data == ord(" ")
    is_odd = _IS_ODD[data]
    is_odd[1:] |= is_space[1:] & is_space[:-1]
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    if not filled.size:
        return filled
    first, last = bounds[filled], bounds[filled + 1] - 1
    is_odd[first] |= is_space[first]
    is_odd[last] |= is_space[last]
    return filled[np.logical_or.reduceat(is_odd, first)]
