"""Whether the letters of names make sense in an 8-bit encoding.

An 8-bit file does not state its encoding.  Windows-1252 is believed if it explains the
letters of the names clearly better than any other encoding does, by the statistics of
`letter_counts` (docs/decisions/0023-letters.md).  What becomes of a row whose letters
make no sense is decided in `legibility`.
"""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cvms_pipeline.domain.reading import letter_counts

ASSUMED = "windows-1252"
"""The encoding of an 8-bit file, if its letters make sense as such."""

_PAGES: Mapping[str, Mapping[str, float]] = {
    "western": {
        ASSUMED: 0,
        "mac_roman": -3,
        "cp850": -5,
        "cp437": -5,
        "iso8859_15": -5,
        "cp863": -7,
        "cp865": -7,
        "cp860": -7,
        "hp_roman8": -7,
    },
    "central": {
        "cp1250": -3,
        "iso8859_2": -5,
        "mac_latin2": -5,
        "cp852": -5,
        "iso8859_16": -7,
        "mac_romanian": -6,
        "mac_croatian": -6,
    },
    "turkish": {"cp1254": -4, "cp857": -6},
    "baltic": {
        "cp1257": -4,
        "cp775": -6,
        "iso8859_4": -7,
        "iso8859_10": -7,
        "iso8859_13": -6,
    },
    "cyrillic": {
        "cp1251": -4,
        "koi8_r": -6,
        "koi8_u": -6.5,
        "cp866": -6,
        "mac_cyrillic": -6,
        "iso8859_5": -6.5,
    },
    "greek": {"cp1253": -5, "cp737": -7},
    "hebrew": {"cp1255": -6},
    "arabic": {"cp1256": -6},
}
"""The encodings in which a file may be written, by the group of their languages.

The numbers are logarithms of how probable each is before anything was read, compared
with Windows-1252.
"""

_MARGIN = 2.0
"""How much better than any other encoding Windows-1252 must explain the letters."""

_MARGIN_OF_ONE = 0.5
"""How much more that must be if there is one letter, and half of it for two."""

_CLEAR_MARGIN = 6.0
"""How much better than any other an encoding must be so that its names are shown."""

_UNKNOWN_PAGE = -7.0
_UNKNOWN_LETTER = -10.5
"""The score of an encoding that is not listed, and of each of its letters."""

_ODD_CASE = -6.0
_ALL_FOREIGN = -6.0
_FIRST_BYTE = 0x80
_VOWELS = frozenset("aeiouy")
_EDGES = frozenset(" -'.\u2019\xa0")

_COMMA_BELOW = {"ș": "ş", "ț": "ţ", "Ș": "ş", "Ț": "ţ"}
"""The letters with comma, which are counted as those with cedilla."""

_Place = tuple[int, int, int, int]
"""A byte outside ASCII: the two before it, the byte, the one after it; 0 is none."""

_Reading = list[tuple[letter_counts.Context, bool, int]]
"""Contexts, whether the case of each is odd, and how often it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    """In which encoding the letters of a file make sense.

    Attributes:
        is_assumed: Whether that is `ASSUMED`.
        probable: Another encoding that explains them clearly better than all others do.
    """

    is_assumed: bool
    probable: str | None = None


def judge(names: Iterable[bytes]) -> _Judgement:
    """Return in which encoding the distinct `names` make sense, all together."""
    places = Counter(itertools.chain.from_iterable(map(_find_places, names)))
    if not places:
        return _Judgement(is_assumed=True)
    read = {page: _read(places, page) for page in _list_pages()}
    rivals = {page: r for page, r in read.items() if r is not None}
    own = rivals[ASSUMED] or []
    rivals = {page: r for page, r in rivals.items() if r != own}
    unknown = _UNKNOWN_PAGE + _UNKNOWN_LETTER * places.total()
    scores = {page: _score(r, page) for page, r in rivals.items()} | {"": unknown}
    margin = _MARGIN + _MARGIN_OF_ONE / places.total()
    own_score = _score(own, ASSUMED) + _ALL_FOREIGN * _count_foreign(places)
    is_assumed = own_score - max(scores.values()) > margin and all(
        _is_better(own, rival, page) for page, rival in rivals.items()
    )
    if is_assumed:
        return _Judgement(is_assumed=True)
    best = max(scores, key=scores.__getitem__)
    others = [
        score for page, score in scores.items() if rivals.get(page) != rivals.get(best)
    ]
    is_clear = scores[best] - max(own_score, *others) > _CLEAR_MARGIN + places.total()
    return _Judgement(is_assumed=False, probable=best if best and is_clear else None)


def _count_foreign(places: Mapping[_Place, int]) -> int:
    """Return how often two bytes outside ASCII stand alone side by side."""
    return sum(
        count
        for (second, first, _, last), count in places.items()
        if first >= _FIRST_BYTE and last == 0 and (second == 0 or second >= _FIRST_BYTE)
    )


def _is_better(own: _Reading, rival: _Reading, page: str) -> bool:
    """Return whether Windows-1252 explains better what differs from another encoding.

    Letters that are the same in both say which language is probable, but not which of
    the two encodings was used.
    """
    pairs = [(a, b) for a, b in zip(own, rival, strict=True) if a != b]
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    return _score(ours, ASSUMED) - _score(theirs, page) > _MARGIN


def find_contexts(word: str) -> list[letter_counts.Context]:
    """Return each letter of `word` outside ASCII with its neighbours."""
    chars = ["", *word, ""]
    return [
        _make_context(chars[i - 1], chars[i], chars[i + 1])
        for i in range(1, len(chars) - 1)
        if ord(chars[i]) >= 0x80
    ]


def _make_context(before: str, letter: str, after: str) -> letter_counts.Context:
    return (
        letter_counts.EDGE_BEFORE if before in _EDGES or not before else _fold(before),
        _fold(letter),
        letter_counts.EDGE_AFTER if after in _EDGES or not after else _fold(after),
    )


def _fold(letter: str) -> str:
    """Return the small letter; İ stays, whose small letter is two characters."""
    small = _COMMA_BELOW.get(letter) or letter.lower()
    return small if len(small) == 1 else letter


def _find_places(name: bytes) -> list[_Place]:
    padded = b"\0\0" + name + b"\0"
    return [
        (padded[i - 2], padded[i - 1], padded[i], padded[i + 1])
        for i in range(2, len(padded) - 1)
        if padded[i] >= 0x80
    ]


@functools.cache
def _list_pages() -> Mapping[str, str]:
    """Return the group of each encoding."""
    return {page: group for group, pages in _PAGES.items() for page in pages}


@functools.cache
def _list_characters(page: str) -> tuple[str, ...]:
    """Return the character of each byte, U+FFFD where there is none; none for NUL."""
    every = (bytes([byte]).decode(page, "replace") for byte in range(1, 256))
    return ("", *every)


def _read(places: Mapping[_Place, int], page: str) -> _Reading | None:
    """Return what the places are in an encoding, in their order.

    None if a byte is no character in it.
    """
    characters = _list_characters(page)
    reading: _Reading = []
    for (second, first, byte, last), count in places.items():
        letter = characters[byte]
        if letter == "\ufffd" and page != ASSUMED:
            return None
        earlier, before, after = characters[second], characters[first], characters[last]
        is_odd = _is_odd(earlier, before, letter, after)
        reading.append((_make_context(before, letter, after), is_odd, count))
    return reading


def _is_odd(earlier: str, before: str, letter: str, after: str) -> bool:
    """Return whether a letter or sign is where names do not have it.

    A capital within small letters, a small letter within capitals or at the beginning,
    an apostrophe after a consonant or a capital, `\u2018` after other letters than in
    O\u2018Neil and Uzbek G\u2018ofur, a no-break space within a word.
    """
    if letter == "\u2018" and before:
        return before not in "OoGg"
    if letter == "\u2019":
        is_consonant = before.islower() and before not in _VOWELS
        return after.islower() and (before.isupper() or is_consonant)
    if letter == "\xa0":
        return before.isalpha() and after.islower()
    if letter.isupper():
        return before.islower()
    if not letter.islower() or letter == "ß":
        return False
    is_start = not before
    is_in_capitals = before.isupper() and (after.isupper() or earlier.isupper())
    return is_start or is_in_capitals


def _score(reading: _Reading, page: str) -> float:
    """Return the logarithm of how well an encoding explains what was read in it.

    The file is in one language of its group, or in a mixture of all of them.
    """
    group = _list_pages()[page]
    scores = [
        language.prior
        + sum(
            count * (language.score(*context) + _ODD_CASE * is_odd)
            for context, is_odd, count in reading
        )
        for language in letter_counts.load_groups()[group].values()
    ]
    highest = max(scores)
    summed = sum(math.exp(score - highest) for score in scores)
    return _PAGES[group][page] + highest + math.log(summed)
