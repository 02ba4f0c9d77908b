"""How the name of a column is read loosely: without hints, look-alikes and accents.

Only the text of one cell of a header; `columns` decides which names a column has, and
reads a name loosely only where the column has not been found by its own name.
"""

import re
import unicodedata

from cvms_pipeline.domain.text import normalise

_SIGN = "[ /.-]?"
_DATE_FORMAT = (
    rf"(?:m{{1,2}}{_SIGN}d{{1,2}}|d{{1,2}}{_SIGN}m{{1,2}}){_SIGN}[ya]{{2,4}}"
    rf"|[ya]{{4}}{_SIGN}m{{1,2}}{_SIGN}d{{1,2}}"
    "|month[ /.-]day[ /.-]year|mes[ /.-]dia[ /.-]ano"
)
_REQUIRED = "required(?: field)?|mandatory|obligatori[oa]|requerid[oa]"
_EXAMPLE = r"(?:e\.? ?g\b|ex\b|example|ejemplo|format|such as|as |max)[^()\[\]]*"
_HINTS = re.compile(
    rf"[(\[{{][ *]*(?:{_DATE_FORMAT}|{_REQUIRED}|optional|legal|{_EXAMPLE})[ *]*[)\]}}]"
    rf"|\b(?:{_DATE_FORMAT}|{_REQUIRED})(?!\w)"
)
"""Remarks in brackets, and those that mean nothing else without brackets.

No other remark is left out: `(guardian)` makes it the name of another person.
"""

_PARTS = re.compile(r"[/|]")
_LOOK_ALIKES = str.maketrans(
    # Cyrillic, Greek, others; capital letters look like other letters than small ones.
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422"
    "\u0425\u0423\u0430\u0435\u043e\u0441\u0440\u0445\u0443\u0456\u0458\u0455\u04bb"
    "\u0501\u051b\u051d\u04cf\u043a\u043c\u0442\u0432\u043d\u0475"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03f2\u03f3"
    "\u0131\u0251\u0261\u0585",
    "abcehijkmopst"
    "xyaeocpxyijsh"
    "dqwlkmtbhv"  # keeps the rows above apart
    "abezhikmnopty"
    "xaeikvoptuxcj"
    "iago",
)


def list_readings(cell: str) -> tuple[str, ...]:
    """Return what the name `cell` may be read as: letters and digits in lower case.

    First all of it, then without hints such as `(required)`, `(MM/DD/YYYY)` or `*`,
    and if it is of several parts, as in `First name / Nombre`, each of these.
    """
    plain = _make_plain(cell)
    bare = _HINTS.sub(" ", plain)
    parts = _PARTS.split(bare)
    readings = [plain, bare, *(parts if len(parts) > 1 else [])]
    return tuple("".join(filter(str.isalnum, reading)) for reading in readings)


def _make_plain(cell: str) -> str:
    """Return `cell` in lower case, without accents, in letters that look the same.

    Letters of other scripts become Latin ones; a name of them alone stays as it is.
    """
    text = unicodedata.normalize("NFKD", normalise.clean_text(cell))
    latin = text.translate(_LOOK_ALIKES)
    bare = "".join(char for char in latin if not unicodedata.combining(char))
    return bare.casefold()
