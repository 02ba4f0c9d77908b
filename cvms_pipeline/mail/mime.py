"""A message, its body as plain text and HTML, and the e-mail that it becomes.

Pure; the words of messages are `messages`, how an e-mail is sent is `mailer`.
Addresses, names and subjects may hold anything, and cannot start a header (RFC 5322).
An upload may invite thousands, so e-mails are put together from text that is known
to be harmless; the parsing of `email.policy.SMTP` would take ten times as long.
"""

import datetime as dt
import email.mime.base
import email.mime.multipart
import email.mime.text
import functools
import html
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import charset, encoders, header, headerregistry, policy, utils

from cvms_pipeline.domain.text import display

_PAGE = (
    '<!DOCTYPE html><html lang="{}"><head><meta charset="utf-8"></head>'
    '<body style="font-family:sans-serif;max-width:40em">{}</body></html>'
)
_WIDTH = 78
_NOT_VISIBLE = re.compile(r"[^!-~]")  # all but visible ASCII
_POLICY = policy.compat32.clone(linesep="\r\n", max_line_length=_WIDTH)
_MAX_LINE = 900  # of the 998 that RFC 5322 allows
_READABLE = charset.Charset("utf-8")
_READABLE.body_encoding = charset.QP


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that is sent with a message; `content_type` such as `text/csv`."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message, complete except for its date.

    Attributes:
        to: The addresses, each without a name.
        sender: The address it is from, with a name if wanted: `Name <a@b.org>`.
        message_id: Stays the same when the message is sent again: `<...@...>`.
        subject: One line.
        text: The body as plain text.
        html: The same as HTML, or None.
        attachments: The files that are sent with it.
        answers: The Message-ID of the first message of its thread; None if it is that.
        is_invitation: A Maildir keeps invitations apart: an upload may have thousands.
    """

    to: tuple[str, ...]
    sender: str
    message_id: str
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    answers: str | None = None
    is_invitation: bool = False


class Body:
    """The body of a message: each block is added as plain text and as HTML."""

    def __init__(self, language: str = "en") -> None:
        """Begin with no block; `language` is that of the first one."""
        self._language = language
        self._texts: list[str] = []
        self._pages: list[str] = []
        self._is_other = False

    def begin_language(self, language: str) -> None:
        """Say that what follows is in this language; below a line if it is another."""
        if language == self._language or self._is_other:
            return
        self._is_other = True
        self._add("-" * 3, f'<hr><div lang="{_escape(language)}">')

    def add_paragraph(self, sentences: str) -> None:
        """Add a few sentences."""
        self._add(
            _wrap(display.make_one_line(sentences)), f"<p>{_escape(sentences)}</p>"
        )

    def add_facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Add a line `name: value` for each pair."""
        lines = (f"{name}: {display.make_one_line(value)}" for name, value in pairs)
        marked = (f"{_escape(n)}: <b>{_escape(value)}</b>" for n, value in pairs)
        self._add("\n".join(lines), f"<p>{'<br>'.join(marked)}</p>")

    def add_points(self, sentences: Sequence[str]) -> None:
        """Add a list in which each sentence is a point."""
        lines = (_wrap(display.make_one_line(each), "- ") for each in sentences)
        marked = (f"<li>{_escape(each)}</li>" for each in sentences)
        self._add("\n".join(lines), f"<ul>{''.join(marked)}</ul>")

    def add_link(self, url: str) -> None:
        """Add an address on a line of its own, however long it is."""
        shown = _escape(url)
        self._add(display.make_one_line(url), f'<p><a href="{shown}">{shown}</a></p>')

    def as_text(self) -> str:
        """Return the body as plain text, with a line break at its end."""
        return "\n\n".join(self._texts) + "\n"

    def as_html(self) -> str:
        """Return the body as an HTML page."""
        end = ["</div>"] if self._is_other else []
        return _PAGE.format(self._language, "\n".join([*self._pages, *end]))

    def _add(self, text: str, page: str) -> None:
        self._texts.append(text)
        self._pages.append(page)


def to_bytes(message: Message, date: dt.datetime) -> bytes:
    """Return `message` as an e-mail of that `date`: plain text first, then HTML."""
    whole: email.mime.base.MIMEBase = _make_text(message.text, "plain")
    if message.html is not None:
        rich = _make_text(message.html, "html")
        whole = _combine("alternative", [whole, rich])
    if message.attachments:
        whole = _combine("mixed", [whole, *map(_attach, message.attachments)])
    sender = read_sender(message)
    whole["From"] = utils.formataddr((sender.display_name, sender.addr_spec))
    whole["To"] = ", ".join(read_address(each).addr_spec for each in message.to)
    whole["Subject"] = _encode(display.make_one_line(message.subject))
    whole["Date"] = utils.format_datetime(date)
    whole["Message-ID"] = _NOT_VISIBLE.sub("", message.message_id)
    for name in ("In-Reply-To", "References") if message.answers else ():
        whole[name] = _NOT_VISIBLE.sub("", message.answers or "")
    whole["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
    return whole.as_bytes()


def read_sender(message: Message) -> headerregistry.Address:
    """Return the address that `message` is from, with its name."""
    name, address = utils.parseaddr(display.make_one_line(message.sender))
    found = read_address(address)
    return headerregistry.Address(name, found.username, found.domain)


def read_address(text: str) -> headerregistry.Address:
    """Return `text` as one address, whatever it holds; its domain as DNS knows it."""
    user, _, domain = display.make_one_line(text).strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = "invalid"
    return headerregistry.Address(username=user, domain=domain)


def _escape(text: str) -> str:
    return html.escape(display.make_one_line(text))


@functools.lru_cache(maxsize=64)  # most sentences are the same in all messages
def _wrap(text: str, first: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _encode(words: str) -> str:
    if words.isascii():
        return words
    return header.Header(words, "utf-8").encode(maxlinelen=0)  # folded later


def _combine(
    subtype: str, parts: Sequence[email.mime.base.MIMEBase]
) -> email.mime.base.MIMEBase:
    return email.mime.multipart.MIMEMultipart(subtype, _subparts=parts, policy=_POLICY)


def _make_text(body: str, subtype: str) -> email.mime.text.MIMEText:
    """Return a part that can be read without decoding wherever that is possible."""
    is_plain = body.isascii() and max(map(len, body.split("\n"))) <= _MAX_LINE
    if is_plain:
        return email.mime.text.MIMEText(body, subtype, "us-ascii", policy=_POLICY)
    return email.mime.text.MIMEText(body, subtype, _READABLE, policy=_POLICY)  # type: ignore[arg-type]  # the stubs do not know that a Charset is accepted


def _attach(attachment: Attachment) -> email.mime.base.MIMEBase:
    kind, _, rest = attachment.content_type.partition("/")
    subtype, *parameters = (each.strip() for each in rest.split(";"))
    named = dict(each.split("=", 1) for each in parameters)
    part = email.mime.base.MIMEBase(kind, subtype, policy=_POLICY, **named)
    part.set_payload(attachment.data)
    encoders.encode_base64(part)
    name = display.make_one_line(attachment.name)
    part.add_header(
        "Content-Disposition",
        "attachment",
        filename=name if name.isascii() else ("utf-8", "", name),
    )
    return part
