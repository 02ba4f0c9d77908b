"""What to type instead of a value that is refused, where that is certain.

For a character that looks right and is not: what it is, its code, and what to type.
For a mark stuck to a value: the value without it.  `rules` decides which values are
refused, `wording` has the text before the advice.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping

import pandas as pd

from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.validation import rules
from cvms_pipeline.domain.vocabulary import columns, reasons, wording

_Advice = dict[str, str]
"""The advice for values, by the value."""

_MAX_NAMED = 3
"""The most characters that are named for one value."""

_LATIN_LETTERS = str.maketrans(
    "АВСЕНІЈКМОРЅТХУѴԚԜӀаеосрхуіјѕһԁԛԝӏѵкЁёЇїΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹαικνορυχϲϳօսհզցյıɑɡ",
    "ABCEHIJKMOPSTXYVQWIaeocpxyijshdqwlvkËëÏïABEZHIKMNOPTYXCaikvopuxcjouhqgjiag",
)
"""Letters of other alphabets, and the Latin ones that they look like."""

_PUNCTUATION = str.maketrans(
    dict.fromkeys(normalise.APOSTROPHES + "\u275b\u275c\u1fbd\u1fbf\u0384\u02ca", "'")
    | dict.fromkeys(normalise.HYPHENS + "\u2012\u2014\u2015\u2043\u2212\ufe58", "-")
    | dict.fromkeys("\u2024\u3002\uff61" + normalise.MIDDLE_DOTS, ".")
    | dict.fromkeys("\u2044\u2215\u2571\u29f8", "/")
    | {"\u2017": "_", "\u2216": "\\"}
)
_WIDE = re.compile("[\uff01-\uff5e\ufe50-\ufe6b\U0001d400-\U0001d7ff]")
"""Wide, small and mathematical forms, which Unicode's NFKC makes plain."""

_DIGITS = str.maketrans("OolI|", "00111")
_DATE = re.compile("[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}")
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN")
_WORD = re.compile(rf"[^ .\{normalise.HYPHENS}]+")

_AROUND_DATE = "'\"`., ;:"
_IN_ANGLES = re.compile("<([^<>]*)>")
_SCHEME = re.compile("mailto:", re.IGNORECASE)
_USERNAME = re.compile(r"(?:\.[0-9]+)?\.COVID19VACCINE\Z", re.IGNORECASE)
"""What usernames have behind the e-mail address: it is pasted in place of that."""

_AROUND_SIGN = re.compile(" *@ *")
_DOTS = re.compile(r"\.{2,}")


def advise(code: str, column: str, values: pd.Series) -> pd.Series:
    """Return the advice for the `values` of `column` that are refused for `code`.

    Returns:
        Texts to be added to the reason, many of them empty; the index of `values`.
    """
    find_advice = _ADVICE.get((code, column))
    if find_advice is None:
        return pd.Series("", values.index, dtype=str)
    written = values.tolist()  # to iterate over Arrow's strings takes ten times as long
    shown = [value if len(value) <= wording.MAX_SHOWN else "" for value in written]
    found = find_advice(set(shown))
    return pd.Series([found.get(value, "") for value in shown], values.index, dtype=str)


def _advise_on_names(names: Collection[str]) -> _Advice:
    foreign = [name for name in names if not name.isascii()]
    mixed = _find_mixed_words(foreign)
    odd = {name: _find_odd_in_name(name, mixed) for name in foreign}
    marked = [name for name in names if name.startswith("'") and not odd.get(name)]
    bare = {name: name.strip("' ") for name in marked}
    described = {name: _name_characters(odd[name]) for name in foreign}
    return described | _propose(bare, rules.is_invalid_name)


def _find_odd_in_name(name: str, mixed: Collection[str]) -> Mapping[str, str]:
    """Return the characters of `name` that are not right, and what to type."""
    odd = {
        char: f"type {plain}"
        for char in name
        if not (char.isascii() or char.isalnum())
        and char
        not in normalise.APOSTROPHES + normalise.HYPHENS + normalise.MIDDLE_DOTS
        and (plain := _make_plain(char)) in {"-", ".", "'"}
    }
    for word in _WORD.findall(name):
        if word in mixed:
            odd |= _find_letters_of_other_scripts(word)
    return odd


def _find_mixed_words(names: Iterable[str]) -> Collection[str]:
    """Return the words in `names` with letters of several scripts that look alike."""
    words = pd.Series(
        list({word for name in names for word in _WORD.findall(name)}), dtype=str
    )
    return set(words[rules.mixes_scripts(words)])


def _find_letters_of_other_scripts(word: str) -> Mapping[str, str]:
    """Return the letters of a mixed `word` that are not of its usual script."""
    scripts = {char: script for char in word if (script := _find_script(char))}
    letters = [scripts[char] for char in word if char in scripts]
    usual = max(_SCRIPTS, key=letters.count)
    return {
        char: _describe_letter(char, usual)
        for char, script in scripts.items()
        if script != usual
    }


def _describe_letter(char: str, usual: str) -> str:
    script = usual.capitalize()
    if usual == "LATIN":
        plain = char.translate(_LATIN_LETTERS)
        return f"type a {script} letter" if plain == char else f"type {plain}"
    for code, latin in _LATIN_LETTERS.items():
        alike = chr(code)
        if chr(latin) == char and _find_script(alike) == usual:
            return f"type {alike} (U+{code:04X})"
    return f"type a {script} letter"


def _find_script(char: str) -> str:
    """Return the script of a letter if it is one of `_SCRIPTS`, else an empty text."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "").removeprefix("FULLWIDTH ")
    script = name.partition(" ")[0]
    return script if script in _SCRIPTS else ""


def _advise_on_birth_dates(dates: Collection[str]) -> _Advice:
    return {date: _advise_on_birth_date(date) for date in dates}


def _advise_on_birth_date(date: str) -> str:
    if not date.isascii() or date != date.translate(_DIGITS):
        plain = {char: _make_plain(char) for char in date}
        digits = {char: like.translate(_DIGITS) for char, like in plain.items()}
        if _DATE.fullmatch("".join(digits[char] for char in date)):
            plain = digits  # letters are typed for digits only in what looks as a date
        odd = {
            char: f"type {like}"
            for char, like in plain.items()
            if like != char and like in "0123456789/"
        }
        if odd:
            return _name_characters(odd)
    bare = date.strip(_AROUND_DATE)
    return f". Write {bare}." if bare != date and _DATE.fullmatch(bare) else ""


def _advise_on_emails(emails: Collection[str]) -> _Advice:
    foreign = [email for email in emails if not email.isascii()]
    described = {
        email: _name_characters(_find_odd_in_email(email)) for email in foreign
    }
    bare = {email: _remove_marks(email) for email in emails if "@" in email}
    return described | _propose(bare, rules.is_invalid_email)


def _find_odd_in_email(email: str) -> Mapping[str, str]:
    return {
        char: f"type {plain}"
        for char in email
        if not char.isascii() and (plain := _make_plain(char)).isascii()
    }


def _remove_marks(email: str) -> str:
    """Return an address without what is stuck to it, and without doubled dots."""
    in_angles = _IN_ANGLES.search(email)
    text = in_angles.group(1) if in_angles else email
    text = _DOTS.sub(".", _AROUND_SIGN.sub("@", _SCHEME.sub("", text)))
    local, _, domain = text.partition("@")
    domain = _USERNAME.sub("", re.sub(r"[\W_]+\Z", "", domain))
    local = re.sub(r"\A\W+|[^\w-]+\Z", "", local)
    return f"{local}@{domain}"


def _propose(
    bare: Mapping[str, str], is_refused: Callable[[pd.Series], pd.Series]
) -> _Advice:
    """Return the advice to write another value, where that is valid.

    Args:
        bare: The other value of each value; an empty one or the same is not proposed.
        is_refused: The rule of the column, which is asked once: one value takes as long
            as hundreds.
    """
    others = {value: b for value, b in bare.items() if b not in {"", value}}
    if not others:
        return {}
    is_valid = ~is_refused(pd.Series(list(others.values()), dtype=str))
    return {
        value: f". Write {other}."
        for (value, other), valid in zip(others.items(), is_valid, strict=True)
        if valid
    }


def _make_plain(char: str) -> str:
    """Return the usual character that `char` looks like, or `char` itself."""
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if _WIDE.match(char):
        return unicodedata.normalize("NFKC", char)
    return char.translate(_LATIN_LETTERS).translate(_PUNCTUATION)


def _name_characters(odd: Mapping[str, str]) -> str:
    """Return the advice on `odd` characters, with what to type; empty without any."""
    if not odd:
        return ""
    described = [
        f"the character {char} is U+{ord(char):04X} {unicodedata.name(char)}; {what}"
        for char, what in itertools.islice(odd.items(), _MAX_NAMED)
    ]
    more = len(odd) - len(described)
    described += [f"and {more} more"] if more else []
    return f" ({'; '.join(described)})"


_ADVICE: Mapping[tuple[str, str], Callable[[Collection[str]], _Advice]] = {
    (reasons.NAME_CHARACTERS, columns.FIRST_NAME): _advise_on_names,
    (reasons.NAME_CHARACTERS, columns.LAST_NAME): _advise_on_names,
    (reasons.BIRTH_DATE_INVALID, columns.BIRTH_DATE): _advise_on_birth_dates,
    (reasons.EMAIL_INVALID, columns.EMAIL): _advise_on_emails,
}
