"""From bytes to text: is it text at all, and in which encoding (DESIGN 4).

What the text says is `tokenising` and `reading`.
"""

import codecs
from dataclasses import dataclass

from cvms_pipeline.domain import reasons, refusals

_SPREADSHEETS = (
    b"PK\x03\x04",  # .xlsx, .ods, and any other zip archive
    b"PK\x05\x06",  # a zip archive of nothing
    b"PK\x07\x08",  # a zip archive in parts
    b"\xd0\xcf\x11\xe0",  # .xls, and whatever else is in an OLE2 container
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
_UNMARKED = ("utf-8", "windows-1252")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A file's text without byte-order mark, and the encoding it was in."""

    text: str
    encoding: str


def decode(data: bytes, *, max_bytes: int) -> Text | reasons.Refusal:
    """Return the text of `data`, or why it is none.

    A byte-order mark decides; without one it is UTF-8 if it can be, else
    Windows-1252, in which five bytes mean nothing.
    """
    if len(data) > max_bytes:
        return refusals.too_large(max_bytes)
    if not data:
        return reasons.refusal(reasons.FILE_EMPTY)
    if data.startswith(_SPREADSHEETS):
        return refusals.spreadsheet()
    text = None if data.startswith(_BINARIES) else _decoded(data)
    if text is None or "\0" in text.text:
        return reasons.refusal(reasons.FILE_NOT_CSV)
    return text


def _decoded(data: bytes) -> Text | None:
    marked = tuple(name for mark, name in _MARKED if data.startswith(mark))
    for encoding in marked or _UNMARKED:
        try:
            return Text(text=data.decode(encoding), encoding=encoding)
        except UnicodeDecodeError:
            continue
    return None
