"""Files of another kind under the name of a CSV, recognised by how they begin.

Text that is no table: web pages, XML, RTF, JSON, encrypted files, e-mails, and the code
pages of mainframes.  Binary files and the encodings of text are in `decoding`.
"""

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

from cvms_pipeline.domain.vocabulary import reasons

_MAX_SEARCHED = 65_536
"""The kind is recognised in these first characters."""


class _Kind(NamedTuple):
    """What a file is, in the words of its refusal, and what to do (None: Save As)."""

    name: str
    remedy: str | None
    is_this: Callable[[str], object]


_PAGE = re.compile(
    r"(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|table|meta|title|script|style|link|base|form"
    r"|div|span|thead|tbody|tr|p|br|b|font|center|h[1-6]|noscript|iframe)[\s/>]",
    re.DOTALL | re.IGNORECASE,
)
_SAVED_PAGE = re.compile(
    "From: <Saved by|MIME-Version:.{0,400}multipart/related", re.DOTALL
)
_LOG_IN = re.compile(
    r"type\s*=\s*[\"']?password\b|SAMLRequest|\b(?:log|sign)[ -]?(?:in|on)\b"
    r"|session (?:has )?(?:expired|timed out)",
    re.IGNORECASE,
)
_CELL = re.compile(r"<td[\s>]", re.IGNORECASE)
_XML = re.compile(r"<\?xml\b|<!(?:doctype|element|entity)\b", re.IGNORECASE)
_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>")
_SPREADSHEET = re.compile(
    "urn:schemas-microsoft-com:office:spreadsheet|progid=.Excel|opendocument"
)
_JSON = re.compile(r'\{\s*(?:"(?:[^"\\]|\\.)*+"\s*:|\})|\[\s*[\[{"\]]')
_ENCRYPTED = re.compile(
    "-----BEGIN [A-Z0-9]|age-encryption\\.org/|Salted__|U2FsdGVkX1|\\$ANSIBLE_VAULT"
    # OpenPGP packets that begin an encrypted message, each byte as one character
    "|(?:\x85[\x01\x02\x04].|\x84.)\x03|\x8c[\x04-\x3f][\x04\x05]|\xc1[\xc0\xc1].\x03"
    "|\xc3\r\x04",
    re.DOTALL,
)
_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]+):(?= |\r?$)", re.MULTILINE)
_MAIL_FIELDS = frozenset(
    ("received", "return-path", "delivered-to", "message-id", "mime-version")
)
_CARD = re.compile(r"BEGIN:(?:VCARD|VCALENDAR)\b", re.IGNORECASE)


def _is_log_in(text: str) -> bool:
    """Return whether a page asks for a log-in, and shows no table."""
    is_page = _PAGE.match(text) is not None
    return is_page and not _CELL.search(text) and _LOG_IN.search(text) is not None


def _is_xml(text: str) -> bool:
    """Return whether `text` has XML's declaration, or an element that is closed."""
    if _XML.match(text):
        return True
    element = _ELEMENT.match(text)
    return element is not None and f"</{element[1]}>" in text


def _is_mail(text: str) -> bool:
    """Return whether `text` begins with the header of an e-mail."""
    if not (text.startswith("From ") or _FIELD.match(text)):
        return False
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    fields = {name.lower() for name in _FIELD.findall(head)}
    return bool(fields & _MAIL_FIELDS) or {"from", "to", "subject"} <= fields


_DOWNLOAD = "Log in, download the file again, and look at it before you upload it."
_EXPORT = "Export the list as a CSV from the program that wrote it, and upload that."
_COPY = (
    'Copy the table into Excel, choose File > Save As, pick "CSV UTF-8 (Comma'
    ' delimited)" and upload the new file.'
)
_KINDS = (
    _Kind("a web page (HTML) that asks for a log-in", _DOWNLOAD, _is_log_in),
    _Kind("a web page (HTML) under another name", None, _PAGE.match),
    _Kind("a saved web page (MHTML)", None, _SAVED_PAGE.match),
    _Kind(
        "a spreadsheet saved as XML",
        None,
        lambda text: _is_xml(text) and _SPREADSHEET.search(text),
    ),
    _Kind("an XML file", _EXPORT, _is_xml),
    _Kind("a text document (RTF)", _COPY, lambda text: text.startswith("{\\rtf")),
    _Kind("a PDF", _COPY, lambda text: text.startswith("%PDF-")),
    _Kind("a JSON file", _EXPORT, _JSON.match),
    _Kind(
        "an encrypted or signed file (such as PGP)",
        "Decrypt it, and upload the CSV that it contains.",
        _ENCRYPTED.match,
    ),
    _Kind("a contact card or a calendar", _EXPORT, _CARD.match),
    _Kind(
        "an e-mail",
        "Save the CSV that is attached to it, and upload that file.",
        _is_mail,
    ),
)

_EBCDIC = _Kind(
    "text in a mainframe's code page (EBCDIC)",
    "Ask whoever made it to convert it to UTF-8, and upload that file.",
    bool,
)
_MIN_SHARE = 0.95
_ASCII = re.compile(rb"[ ,;\t0-9]")
_PRINTABLE = re.compile(r"[ -~\n\r\t\x85]")


def refuse_kind(data: bytes) -> reasons.Refusal | None:
    """Return the refusal of a file of another kind, in words that fit it, or None."""
    text = _decode_start(data).lstrip(" \t\r\n")
    kind = next((kind for kind in _KINDS if kind.is_this(text)), None)
    if kind is None and _is_ebcdic(data[:_MAX_SEARCHED]):
        kind = _EBCDIC
    if kind is None:
        return None
    sentence = f"The file is {kind.name}, not a CSV."
    return reasons.make_refusal(reasons.FILE_NOT_CSV, sentence, kind.remedy)


def _decode_start(data: bytes) -> str:
    """Return how `data` begins; without a mark of UTF-16, a byte is a character."""
    start = data[:_MAX_SEARCHED]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _is_ebcdic(start: bytes) -> bool:
    """Return whether bytes are EBCDIC, with nothing in ASCII that a CSV holds."""
    if len(start) < 2 or _ASCII.search(start):
        return False
    text = start.decode("cp037")
    return len(_PRINTABLE.findall(text)) >= len(text) * _MIN_SHARE
