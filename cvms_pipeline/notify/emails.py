"""From a message to an e-mail as RFC 5322 wants it.

Pure; addresses, names and subjects may be anything, and cannot start a header.
An upload may invite thousands, so e-mails are put together from text that is known
to be harmless; the parsing of `email.policy.SMTP` would take ten times as long.
"""

import datetime as dt
import re
from email import charset, encoders, header, headerregistry, policy, utils
from email.mime import base, multipart, text

from cvms_pipeline.notify import bodies, messages

_NOT_VISIBLE = re.compile(r"[^!-~]")  # all but visible ASCII
_POLICY = policy.compat32.clone(linesep="\r\n", max_line_length=78)
_MAX_LINE = 900  # of the 998 that RFC 5322 allows
_READABLE = charset.Charset("utf-8")
_READABLE.body_encoding = charset.QP


def to_bytes(source: messages.Message, date: dt.datetime) -> bytes:
    """Return `source` as an e-mail of that `date`: plain text first, then HTML."""
    whole: base.MIMEBase = _text(source.text, "plain")
    if source.html is not None:
        rich = _text(source.html, "html")
        whole = multipart.MIMEMultipart(
            "alternative", _subparts=(whole, rich), policy=_POLICY
        )
    if source.attachments:
        parts = (whole, *map(_attached, source.attachments))
        whole = multipart.MIMEMultipart("mixed", _subparts=parts, policy=_POLICY)
    from_ = sender(source)
    whole["From"] = utils.formataddr((from_.display_name, from_.addr_spec))
    whole["To"] = ", ".join(address(each).addr_spec for each in source.to)
    whole["Subject"] = _words(bodies.one_line(source.subject))
    whole["Date"] = utils.format_datetime(date)
    whole["Message-ID"] = _NOT_VISIBLE.sub("", source.message_id)
    whole["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machines
    return whole.as_bytes()


def sender(source: messages.Message) -> headerregistry.Address:
    """Return the address that `source` is from, with its name."""
    name, spec = utils.parseaddr(bodies.one_line(source.sender))
    found = address(spec)
    return headerregistry.Address(name, found.username, found.domain)


def address(spec: str) -> headerregistry.Address:
    """Return `spec` as one address, whatever it holds; its domain as DNS knows it."""
    user, _, domain = bodies.one_line(spec).strip().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = "invalid"
    return headerregistry.Address(username=user, domain=domain)


def _words(words: str) -> str:
    if words.isascii():
        return words
    return header.Header(words, "utf-8").encode(maxlinelen=0)  # folded later


def _text(body: str, subtype: str) -> text.MIMEText:
    """Return a part that stays readable without decoding wherever that can be."""
    is_plain = body.isascii() and max(map(len, body.split("\n"))) <= _MAX_LINE
    if is_plain:
        return text.MIMEText(body, subtype, "us-ascii", policy=_POLICY)
    return text.MIMEText(body, subtype, _READABLE, policy=_POLICY)  # type: ignore[arg-type]  # a Charset is taken too


def _attached(attachment: messages.Attachment) -> base.MIMEBase:
    kind, _, rest = attachment.content_type.partition("/")
    subtype, *parameters = (each.strip() for each in rest.split(";"))
    named = dict(each.split("=", 1) for each in parameters)
    part = base.MIMEBase(kind, subtype, policy=_POLICY, **named)
    part.set_payload(attachment.data)
    encoders.encode_base64(part)
    name = bodies.one_line(attachment.name)
    part.add_header(
        "Content-Disposition",
        "attachment",
        filename=name if name.isascii() else ("utf-8", "", name),
    )
    return part
