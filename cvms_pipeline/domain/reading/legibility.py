"""Which letters of a file can be read with certainty, and what the others probably are.

Letters are uncertain if their bytes are invalid UTF-8, if they make no sense in the
encoding of an 8-bit file (`letters`), if the text was encoded as UTF-8 twice, or if a
program has already replaced them by U+FFFD.  Plain ASCII never is.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from cvms_pipeline.domain.reading import decoding, letters
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.text import arrow
from cvms_pipeline.domain.vocabulary import columns, reasons, wording

UNKNOWN = "unknown"
"""The encoding of an 8-bit file whose letters make no sense in Windows-1252."""

_NAMES = (columns.FIRST_NAME, columns.LAST_NAME)
_LOST = "\ufffd"
_UNREAD = range(0xDC80, 0xDD00)
_ALL_LOST = dict.fromkeys(_UNREAD, _LOST)
_ASSUMED = {
    code: bytes([code - 0xDC00]).decode(letters.ASSUMED, "replace") for code in _UNREAD
}
_PUNCTUATION = "'\u2018\u2019\u02bb\u02bc\u2010\u2011\u2013\u2014.\xb4\xb7\xa0 -"
_SYMBOL = re.compile(f"[^\0-\x7f\\w{_PUNCTUATION}]|[\xaa\xb2\xb3\xb9\xba\xbc-\xbe]")
_CAPITAL_INSIDE = re.compile("(?<=[a-zß-öø-ÿ])[ÃÂ]|\\bÃ(?=[a-z]|$)")
_RARE = re.compile("[\u0180-\u019f\u01a2-\u01ae\u01b1-\u0217\u021c-\u024f]")
"""Latin letters that no language of Europe or Vietnam has in names."""

_TWICE = re.compile(
    "[\x80-\x9f\xa1-\xbfƒ\u2020-\u2030\u2039-\u2bf0\ufffd]"
    "|[a-zß-ÿ][\xc0-\xdeĂĹĐŃ]|[A-Za-z][\u0400-\u04ff]"
    "|Ã(?:[a-zß-ÿ]|$)|Ă[^a-zß-ÿăâşţșț]|[ÂÃÄÅĹ]\\W"
)
"""What a text that was encoded twice has: symbols, or capitals in a word."""

_APART = re.compile("[`\xb4]\u0131|\u0131[`\xb4]")
"""An accent beside the i without a dot that it belongs on, as PDFs are copied."""
_TOGETHER = {"\xb4": "í", "`": "ì"}

_PAGES = (letters.ASSUMED, "mac_roman", "cp1250", "cp1251", "cp1254", "cp437", "cp850")
"""The encodings as which UTF-8 may have been read before it was encoded again."""

_MAX_TIMES = 3
_MAX_NAME = 200
"""Longer cells hold no name: their letters are not examined one by one."""

Cells = Mapping[str, arrow.Texts]
"""The texts of each column."""

_Guess = Callable[[str], str | None]
_Probable = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The cells of a file, without unread bytes.

    Attributes:
        cells: The texts of each column; an uncertain byte is U+FFFD.
        encoding: The encoding in which they were read, or `UNKNOWN`.
        probable: What an uncertain cell probably was, by its column and place.
    """

    cells: Cells
    encoding: str
    probable: _Probable = field(default_factory=dict)


def read_row(cells: list[str], decoded: decoding.Decoded) -> list[str]:
    """Return the cells of a row such as the header, without unread bytes."""
    if decoded.is_whole:
        return cells
    return read_others(cells, encoding=decoded.encoding)


def read_others(cells: Sequence[str], *, encoding: str) -> list[str]:
    """Return cells that are in no known column, without unread bytes.

    `encoding` is that in which the known columns were read.
    """
    is_assumed = encoding == letters.ASSUMED
    return _translate(cells, _ASSUMED if is_assumed else _ALL_LOST)


def read_cells(cells: Cells, *, encoding: str, is_whole: bool) -> Texts:
    """Return the texts of a file, whose unread bytes are surrogates in `cells`.

    Args:
        cells: The texts of each known column.
        encoding: As `decoding` found it.
        is_whole: Whether no byte is unread.
    """
    if is_whole:
        return Texts(cells=cells, encoding=encoding)
    if encoding != letters.ASSUMED:
        return _replace(cells, encoding, _guess_stray)
    names = {name for column in _NAMES for name in cells.get(column, ())}
    judgement = letters.judge(_encode(n) for n in names if len(n) <= _MAX_NAME)
    if judgement.is_assumed:
        return _read_assumed(cells)
    return _replace(cells, UNKNOWN, functools.partial(_guess, judgement.probable))


def reject(cells: pd.DataFrame, probable: _Probable) -> pd.DataFrame:
    """Return the rejections of the rows whose letters are uncertain.

    Args:
        cells: The rows as they were read: `frames.Cells`.
        probable: What uncertain cells probably were, by column and place.
    """
    found: dict[int, list[tuple[str, str, str | None]]] = {}
    for column in columns.NAMES:
        for place, text in _find_uncertain(cells[column]).items():
            name = probable.get((column, place)) or find_original(text)
            found.setdefault(place, []).append((column, text, name))
    if not found:
        return sheet.make_empty().rejections
    texts = [wording.describe_uncertain(found[place]) for place in sorted(found)]
    lines = cells.index[sorted(found)]
    return sheet.make_rejections(
        reasons.TEXT_ENCODING, pd.Series(texts, lines, dtype=str)
    )


def find_original(name: str) -> str | None:
    r"""Return the name whose UTF-8 was read in another encoding, if there is just one.

    "María" becomes "MarÃ\xada" in this way, or "Mar√≠a".  Also found is the name of
    which an accent stands beside its letter: "Mar\u0131\xb4a".
    """
    if _APART.search(name):
        return _APART.sub(lambda found: _TOGETHER[found[0].strip("\u0131")], name)
    originals = _list_originals(name)
    return originals.pop() if len(originals) == 1 else None


def _find_uncertain(texts: pd.Series) -> dict[int, str]:
    """Return the uncertain texts of a column, by their place."""
    foreign = arrow.find_foreign(texts)
    is_name = texts.name in _NAMES
    uncertain = {t for t in set(foreign.values()) if _is_uncertain(t, is_name=is_name)}
    return {place: text for place, text in foreign.items() if text in uncertain}


def _is_uncertain(text: str, *, is_name: bool) -> bool:
    if not is_name or _LOST in text:
        return _LOST in text
    if _APART.search(text):
        return True
    if not _TWICE.search(text):
        return False
    return bool(_CAPITAL_INSIDE.search(text) or _list_originals(text))


def _list_originals(name: str) -> set[str]:
    if name.isascii() or len(name) > _MAX_NAME:
        return set()
    found = {_undo(name, page) for page in _PAGES}
    return {text for text in found if text != name and _is_plausible(text)}


def _undo(name: str, page: str) -> str:
    """Return `name` with every reading of UTF-8 in the encoding `page` undone."""
    for _ in range(_MAX_TIMES):
        codes = [_list_bytes(page).get(char, -1) for char in name]
        if min(codes) < 0 or max(codes) < 0x80:
            break
        try:
            name = bytes(codes).decode()
        except UnicodeDecodeError:
            break
    return name


@functools.cache
def _list_bytes(page: str) -> Mapping[str, int]:
    """Return the byte of each character of an encoding.

    A control character is the byte that has no other character.  In Windows-1252 the
    others are, too, as Latin-1 has them.
    """
    controls = {chr(byte): byte for byte in range(0x80, 0xA0)}
    chars = {bytes([byte]).decode(page, "ignore"): byte for byte in range(256)}
    return {**controls, **chars}


def _is_plausible(name: str) -> bool:
    """Return whether a name has letters of one script only, as names have them."""
    characters = [c for c in name if c not in _PUNCTUATION]
    scripts = {unicodedata.name(c, "?").split()[0] for c in characters}
    is_usual = all(c.isalpha() and not _RARE.match(c) for c in characters)
    return is_usual and len(scripts) == 1 and not _CAPITAL_INSIDE.search(name)


def _read_assumed(cells: Cells) -> Texts:
    """Return the texts in the assumed encoding; of names with symbols none of it."""
    read = {column: _translate(texts, _ASSUMED) for column, texts in cells.items()}
    for column in set(_NAMES) & set(read):
        lost = _translate(cells[column], _ALL_LOST)
        read[column] = [
            unread if _SYMBOL.search(text) else text
            for text, unread in zip(read[column], lost, strict=True)
        ]
    return Texts(cells=read, encoding=letters.ASSUMED)


def _replace(cells: Cells, encoding: str, guess: _Guess) -> Texts:
    """Return the texts with U+FFFD for each unread byte, and what names were."""
    guesses = {
        (column, place): guess(text)
        for column in _NAMES
        for place, text in enumerate(cells.get(column, ()))
        if _has_unread(text)
    }
    return Texts(
        cells={column: _translate(texts, _ALL_LOST) for column, texts in cells.items()},
        encoding=encoding,
        probable={where: name for where, name in guesses.items() if name},
    )


def _guess_stray(text: str) -> str | None:
    """Return a name of UTF-8 whose other bytes were written in Windows-1252."""
    name = text.translate(_ASSUMED).strip()
    try:
        data = name.encode(letters.ASSUMED)
    except UnicodeEncodeError:
        return None
    is_certain = _is_plausible(name) and letters.judge([data]).is_assumed
    return name if is_certain else None


def _guess(page: str | None, text: str) -> str | None:
    """Return a name of a file that is probably in the encoding `page`."""
    name = _encode(text).decode(page, "replace").strip() if page else ""
    return name if name and _is_plausible(name) else None


def _has_unread(text: str) -> bool:
    return len(text) <= _MAX_NAME and any(ord(char) in _UNREAD for char in text)


def _encode(text: str) -> bytes:
    return text.encode("ascii", "surrogateescape")


def _translate(texts: Sequence[str], table: Mapping[int, str]) -> list[str]:
    return [text if text.isascii() else text.translate(table) for text in texts]
