"""From bytes to text: whether a file is text, and in which encoding.

The content of the text is read by `records` and `reader`; `legibility` decides which
letters of an 8-bit file are believed.
"""

import codecs
import re
from dataclasses import dataclass

from cvms_pipeline.domain.reading import file_kinds, letters, refusals
from cvms_pipeline.domain.text import normalise
from cvms_pipeline.domain.vocabulary import reasons

_SPREADSHEETS = (
    b"PK\x03\x04",  # .xlsx, .ods, and any other zip archive
    b"PK\x05\x06",  # an empty zip archive
    b"PK\x07\x08",  # a zip archive in parts
    b"\xd0\xcf\x11\xe0",  # .xls, and other OLE2 containers
)
_BINARIES = (
    b"%PDF-",
    b"\x1f\x8b",  # gzip
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"BZh91AY&SY",  # bzip2
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",  # zstandard
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF
    b"MM\x00*",
)
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_END_SIGN = "\x1a"
_OUTSIDE_ASCII = re.compile("[^\0-\x7f]")
_UNREAD = re.compile("[\udc80-\udcff]")


_SPREADSHEET = "The file is a spreadsheet or an archive, not a CSV."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a file.

    Attributes:
        text: The text.  An unread byte B is the surrogate U+DC00 + B, as Python's error
            handler `surrogateescape` writes it.
        encoding: The encoding; of an 8-bit file the one that is assumed.
        is_whole: Whether no byte is unread.
    """

    text: str
    encoding: str
    is_whole: bool


def decode(data: bytes, *, max_bytes: int) -> Decoded | reasons.Refusal:
    """Return the text of `data` and its encoding, or the refusal of other files.

    A byte-order mark decides the encoding, and is no part of the text.  Without one it
    is UTF-8 if no more bytes are invalid in it than characters are valid.  Else it is
    an 8-bit encoding, which no bytes state: all outside ASCII stay unread.
    """
    if len(data) > max_bytes:
        return refusals.refuse_size(max_bytes)
    if not data:
        return reasons.make_refusal(reasons.FILE_EMPTY)
    if data.startswith(_SPREADSHEETS):
        return reasons.make_refusal(reasons.FILE_NOT_CSV, _SPREADSHEET)
    if refusal := file_kinds.refuse_kind(data):
        return refusal
    decoded = None if data.startswith(_BINARIES) else _try_encodings(data)
    if decoded is None or "\0" in decoded.text:
        return reasons.make_refusal(reasons.FILE_NOT_CSV)
    return decoded


def _try_encodings(data: bytes) -> Decoded | None:
    encoding = next((name for mark, name in _MARKED if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
        return Decoded(text=text, encoding=encoding, is_whole=True)
    except UnicodeDecodeError:
        return None if encoding == "utf-16" else _decode_escaped(data, encoding)


def _decode_escaped(data: bytes, encoding: str) -> Decoded:
    """Return the text of bytes that are not all UTF-8, with unread ones."""
    text = data.decode(encoding, "surrogateescape")
    unread = sum(1 for _ in _UNREAD.finditer(text))
    read = sum(1 for _ in _OUTSIDE_ASCII.finditer(text)) - unread
    if unread <= read or encoding == "utf-8-sig":
        return Decoded(text=text, encoding=encoding, is_whole=False)
    text = data.decode("ascii", "surrogateescape")
    return Decoded(text=text, encoding=letters.ASSUMED, is_whole=False)


def remove_end_sign(text: str) -> str:
    """Return `text` without the sign Ctrl-Z with which some old programs end a file."""
    ended = normalise.strip_end(text)
    while ended.endswith(_END_SIGN):
        text = ended.rstrip(_END_SIGN)
        ended = normalise.strip_end(text)
    return text
