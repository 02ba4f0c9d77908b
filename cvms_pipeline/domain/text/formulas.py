"""Cells that a spreadsheet would run as a formula: escaped, restored, and read.

`unescape` exactly reverses `escape`, so that an error report can be corrected and
dropped again.  The only formula that has a value here is a text, `="Rosa"`.
"""

import re

import pandas as pd
import pyarrow.compute as pc

from cvms_pipeline.domain.text import arrow

_IGNORED = (
    '["\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f'
    "\u2028-\u202f\u205f-\u206f\u3000\ufeff]*"
)
"""Quotation marks, and what is invisible: a spreadsheet may pass over it."""

_SIGNS = r"=+\-@＝＋－＠"  # noqa: RUF001  # full width
_FIRST = rf"('*{_IGNORED}[{_SIGNS}\t\n\r])"
_INNER = f"('*{_IGNORED}[{_SIGNS}])"
_SEPARATOR = r"([;\t\n\r])"
"""Where a part of a cell becomes a cell, if the list separator is a semicolon or a tab.

With another separator than ours, quotation marks protect the first cell of a row only.
"""

_MAY_RUN = r"\A[^0-9A-Za-z]|[;\t\n\r]"
_MAY_BE_ESCAPED = rf"(?:\A|{_SEPARATOR})'"
"""What each cell has that the patterns above change; those take much longer."""

_TEXT = re.compile(r'\s*+="((?:[^"]|"")*+)"\s*+')
"""A formula that is only a text: programs write it so that `007` remains a text."""


def escape(texts: pd.Series) -> pd.Series:
    """Return `texts` so that no spreadsheet runs one, or a part of it, as a formula.

    A `'` is put before what would run: a sign such as `=`, also after white space or
    quotation marks, at the beginning or after a semicolon, a tab or an end of line; and
    a tab or an end of line at the beginning.  So it is before some `'` and such a
    beginning, which makes `unescape` exact.
    """
    if not arrow.matches_any(texts, _MAY_RUN):
        return texts
    inner = _replace(texts, f"{_SEPARATOR}{_INNER}", r"\1'\2")
    return _replace(inner, rf"\A{_FIRST}", r"'\1")


def unescape(texts: pd.Series) -> pd.Series:
    """Return `texts` as they were before `escape`."""
    if not arrow.matches_any(texts, _MAY_BE_ESCAPED, having="'"):
        return texts
    inner = _replace(texts, f"{_SEPARATOR}'{_INNER}", r"\1\2")
    return _replace(inner, rf"\A'{_FIRST}", r"\1")


def _replace(texts: pd.Series, pattern: str, replacement: str) -> pd.Series:
    """Replace `pattern` (RE2) wherever it is in `texts`."""
    if not arrow.matches_any(texts, pattern):
        return texts
    held = arrow.to_arrow(texts)
    replaced = pc.replace_substring_regex(held, pattern, replacement)
    return arrow.like_series(texts, replaced)


def read_texts(texts: pd.Series) -> pd.Series:
    """Return `texts` with the text of each cell that is a formula of only a text."""
    if arrow.lacks(texts, "="):
        return texts
    is_text = arrow.match_pattern(texts, r'\A\s*="')
    if not is_text.any():
        return texts
    formulas = texts[is_text]
    read = pd.Series([_read_text(cell) for cell in formulas], formulas.index, dtype=str)
    return texts.mask(is_text, read.reindex(texts.index, fill_value=""))


def _read_text(cell: str) -> str:
    found = _TEXT.fullmatch(cell)
    return found.group(1).replace('""', '"') if found else cell
