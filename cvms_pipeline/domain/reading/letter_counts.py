"""How often letters outside ASCII stand between which neighbours, by language.

The statistics of `letters.json`, which `python -m benchmarks.letters --write` makes of
the names and places of many countries; it holds no names.  What follows from them for
a file is decided in `letters`.
"""

import functools
import json
import math
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

EDGE_BEFORE, EDGE_AFTER = "^", "$"
"""The ends of a word, in place of a neighbour."""

_LOWEST = -15.0
_NO_BREAK_SPACE = "\xa0"
_NO_BREAK_SPACE_SCORE = -7.0
_CLASS_SIZES = {"v": 6, "c": 20, EDGE_BEFORE: 1, EDGE_AFTER: 1}
_LETTERS = 27
_VOWELS = frozenset("aeiouyæœø\u0131")
_LEAST_TOTAL = 30
"""A language with fewer letters counts for less in the mixture."""

Context = tuple[str, str, str]
"""A letter in lower case between its neighbours; `^` and `$` are ends of a word."""


class _Language:
    """How often letters stand between which neighbours, in one or several languages."""

    def __init__(self, weights: Mapping[Context, float], *, prior: float) -> None:
        """Count the letters of `weights`; `prior` is how probable the language is."""
        self.prior = prior
        self._total = sum(weights.values())
        self._exact = weights
        self._letters: defaultdict[str, float] = defaultdict(float)
        self._befores: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._afters: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._classes: defaultdict[Context, float] = defaultdict(float)
        for (before, letter, after), weight in weights.items():
            self._letters[letter] += weight
            self._befores[before, letter] += weight
            self._afters[letter, after] += weight
            self._classes[_classify(before), letter, _classify(after)] += weight
        self._scores: dict[Context, float] = {}

    def score(self, before: str, letter: str, after: str) -> float:
        """Return the logarithm of the probability of a letter between neighbours."""
        context = (before, letter, after)
        if context not in self._scores:
            self._scores[context] = self._compute(before, letter, after)
        return self._scores[context]

    def _compute(self, before: str, letter: str, after: str) -> float:
        if letter == _NO_BREAK_SPACE:
            return _NO_BREAK_SPACE_SCORE
        alone = self._letters.get(letter, 0.0)
        if not alone:
            return _LOWEST
        around = (_classify(before), _classify(after))
        sizes = _CLASS_SIZES[around[0]] * _CLASS_SIZES[around[1]]
        exact = self._exact.get((before, letter, after), 0.0)
        pairs = self._befores[before, letter] * self._afters[letter, after] / alone
        classes = self._classes[around[0], letter, around[1]] / sizes
        any_place = alone / _LETTERS / _LETTERS
        mixed = 0.5 * exact + 0.3 * pairs + 0.17 * classes + 0.03 * any_place
        return max(math.log(mixed / self._total), _LOWEST)


@functools.cache
def _classify(letter: str) -> str:
    if letter in _CLASS_SIZES and not letter.isalpha():
        return letter
    plain = unicodedata.normalize("NFD", letter)[:1]
    return "v" if plain in _VOWELS else "c"


@functools.cache
def load_groups() -> Mapping[str, Mapping[str, _Language]]:
    """Return the languages of each group, and under an empty name their mixture."""
    text = Path(__file__).with_name("letters.json").read_text(encoding="utf-8")
    return {name: _make_group(listed) for name, listed in json.loads(text).items()}


def _make_group(listed: Mapping[str, str]) -> Mapping[str, _Language]:
    counted = {name: _parse(text) for name, text in listed.items()}
    mixture: defaultdict[Context, float] = defaultdict(float)
    for counts in counted.values():
        total = max(sum(counts.values()), _LEAST_TOTAL)
        for context, count in counts.items():
            mixture[context] += count / total
    prior = math.log(0.5 / len(counted))
    languages = {name: _Language(c, prior=prior) for name, c in counted.items()}
    return {**languages, "": _Language(mixture, prior=math.log(0.5))}


def _parse(text: str) -> Mapping[Context, int]:
    """Return the counts of a text such as `^éd12 séa`; a missing number is 1."""
    return {(e[0], e[1], e[2]): int(e[3:] or 1) for e in text.split(" ")}
