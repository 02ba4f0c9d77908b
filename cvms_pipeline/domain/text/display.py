r"""Foreign text in a form that can be shown: short, on one line, with nothing hidden.

For texts that somebody else wrote: cells, header names, file names.  What could do harm
in HTML, SQL or a spreadsheet is escaped where those are written (`formulas`).  Imports
no library, because commands that only print use it.
"""

import re
import unicodedata

UNKNOWN = "\N{EN DASH}"
"""Shown for a number that is not known."""

ELLIPSIS = "…"
"""Represents the part of a text that is not shown."""

_LINE_BREAKS = frozenset("\t\n\r\v\f\x85\u2028\u2029")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION_MARKS = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIRST_ODD_BYTE = 0xDC00
"""Python decodes the byte B of a file name that is not UTF-8 to U+DC00 + B."""


def shorten(text: str, length: int) -> str:
    """Return `text`, cut to at most `length` characters, the last an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def make_storable(text: str) -> str:
    r"""Return `text` so that it can be encoded: valid Unicode.

    Bytes of a file name that are not UTF-8 become escapes such as `\xff`, other
    halves of surrogate pairs `\ud800`.
    """
    return _SURROGATE.sub(lambda found: _escape(found.group()), text)


def escape_hidden(text: str) -> str:
    r"""Return `text` as one line in which every character can be seen and stored.

    Control characters, line breaks, halves of surrogate pairs and marks that change the
    direction of writing become escapes such as `\x0a` and `\u202e`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_hidden(char) else char for char in text)


def escape_unprintable(text: str) -> str:
    r"""Return `text` with an escape for each character that a printer does not show.

    These are more than the hidden ones: also characters without width, spaces other
    than the usual one, and code points without a character.
    """
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def make_one_line(text: str) -> str:
    """Return `text` as one line: line breaks and tabs as spaces.

    Other hidden characters become U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = (" " if char in _LINE_BREAKS else char for char in text)
    return "".join("\ufffd" if _is_hidden(char) else char for char in spaced)


def mask_address(address: str) -> str:
    """Return an address so that only its owner recognises it: a***@e***.org."""
    local, _, domain = address.partition("@")
    name, dot, top = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***{dot}{top}"


def _is_hidden(char: str) -> bool:
    is_mark = char in _DIRECTION_MARKS
    return is_mark or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _escape(char: str) -> str:
    code = ord(char)
    if _FIRST_ODD_BYTE + 0x80 <= code <= _FIRST_ODD_BYTE + 0xFF:
        code -= _FIRST_ODD_BYTE
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
