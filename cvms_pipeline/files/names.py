"""File names that others chose: which to pass over, how to show, what to trust.

Pure text.  A name that was made safe here may stand in a path of ours; one that
was made fit to show may stand in a message or a table, never in a path.
"""

import re
import unicodedata

_TEMPORARY_ENDS = (".part", ".filepart", ".tmp", ".crdownload", ".partial")
_TEMPORARY_STARTS = (".", "~$")
_BY_THE_SYSTEM = frozenset({"thumbs.db", "desktop.ini"})
_NOT_SHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SEPARATORS = re.compile(r"[/\\]")
_MAX_STEM = 60
_MAX_BYTES = 240  # of the 255 that file systems take, with room for " (2)"
_UNNAMED = "upload"


def is_temporary(name: str) -> bool:
    """Return whether a tool or the system made `name`, and no provider meant it.

    Dotfiles, what upload tools call a file until it is whole, Office's owner
    files, and the listings that Windows leaves; upper and lower case alike.
    """
    folded = name.casefold()
    return (
        folded.startswith(_TEMPORARY_STARTS)
        or folded.endswith(_TEMPORARY_ENDS)
        or folded in _BY_THE_SYSTEM
    )


def shown(name: str) -> str:
    r"""Return `name` as it can be displayed and stored: valid text, one line.

    Bytes that are not UTF-8, control characters, line breaks and marks that turn
    the direction of writing become escapes such as `\xff`.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    is_hidden = unicodedata.category(character) in _NOT_SHOWN
    if not is_hidden and character not in _DIRECTION:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def safe_stem(name: str) -> str:
    """Return what `name` is called without its ending, from `[A-Za-z0-9._-]` only.

    At most 60 characters, never empty, never with a leading dot.
    """
    base = _SEPARATORS.split(name)[-1]
    stem = base.rpartition(".")[0] or base
    return _UNSAFE.sub("_", stem)[:_MAX_STEM].strip("._-") or _UNNAMED


def dropped(name: str) -> str:
    """Return the name under which to drop a file called `name`.

    The last part of a path only; short enough to be numbered; never one that
    would be taken for a temporary file.
    """
    base = shown(_SEPARATORS.split(name)[-1]).replace("\\", "_").lstrip(".~$ ")
    stem, dot, end = base.rpartition(".")
    if not dot:
        stem, end = base, ""
    stem, end = _cut(stem, _MAX_BYTES - 20), _cut(end, 16)
    whole = f"{stem or _UNNAMED}.{end}" if end else stem or _UNNAMED
    return f"{whole}.csv" if is_temporary(whole) else whole


def _cut(text: str, length: int) -> str:
    return text.encode("utf-8")[:length].decode("utf-8", "ignore")


def numbered(name: str, number: int) -> str:
    """Return `name` for the `number`th file of that name: `staff (2).csv`."""
    if number == 1:
        return name
    stem, dot, end = name.rpartition(".")
    if not dot:
        return f"{name} ({number})"
    return f"{stem} ({number}).{end}"
