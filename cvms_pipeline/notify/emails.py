"""From a message to an e-mail as RFC 5322 wants it.

Pure; addresses, names and subjects may be anything, and cannot start a header.
"""

import datetime as dt
import re
from email import headerregistry, message, policy, utils

from cvms_pipeline.notify import bodies, messages

_NOT_VISIBLE = re.compile(r"[^!-~]")  # all but visible ASCII
_POLICY = policy.SMTP.clone(max_line_length=78)


def to_email(source: messages.Message, date: dt.datetime) -> message.EmailMessage:
    """Return `source` as an e-mail of that `date`: plain text first, then HTML."""
    email = message.EmailMessage(policy=_POLICY)
    email["From"] = sender(source)
    email["To"] = [address(each) for each in source.to]
    email["Subject"] = bodies.one_line(source.subject)
    email["Date"] = date
    email["Message-ID"] = _NOT_VISIBLE.sub("", source.message_id)
    email["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machines
    email.set_content(source.text)
    if source.html is not None:
        email.add_alternative(source.html, subtype="html")
    for attachment in source.attachments:
        _attach(email, attachment)
    return email


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


def _attach(email: message.EmailMessage, attachment: messages.Attachment) -> None:
    kind, _, rest = attachment.content_type.partition("/")
    subtype, *parameters = (each.strip() for each in rest.split(";"))
    email.add_attachment(
        attachment.data,
        maintype=kind,
        subtype=subtype,
        filename=bodies.one_line(attachment.name),
        params=dict(each.split("=", 1) for each in parameters),
    )
