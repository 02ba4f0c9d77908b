"""E-mails: their parts, their headers, and what cannot get into them."""

import datetime as dt
import email
from email import policy

import pytest

from cvms_pipeline.mail import mime

AT = dt.datetime(2026, 1, 5, 10, 15, tzinfo=dt.UTC)
SENDER = "Vaccine Management System <nccvms@dhhs.nc.gov>"


def message(**changes):
    facts = {
        "to": ("ann@b.org",),
        "sender": SENDER,
        "message_id": "<1@dhhs.nc.gov>",
        "subject": "Hello",
        "text": "Grüße\n",
        "html": "<p>Grüße</p>",
    }
    return mime.Message(**(facts | changes))


def sent(source):
    """Return the message as a mail program reads it."""
    data = mime.to_bytes(source, AT)
    return email.message_from_bytes(data, policy=policy.default)


def test_plain_text_comes_first_then_html():
    seen = sent(message())

    assert seen.get_content_type() == "multipart/alternative"
    plain, rich = seen.iter_parts()
    assert (plain.get_content_type(), rich.get_content_type()) == (
        "text/plain",
        "text/html",
    )
    assert plain.get_content().replace("\r\n", "\n") == "Grüße\n"


def test_an_attachment_follows_both_bodies():
    attachment = mime.Attachment(
        name="BulkError.csv",
        content_type="text/csv; charset=utf-8",
        data=b"\xef\xbb\xbfa,b\r\n" * 1_000,
    )

    seen = sent(message(attachments=(attachment,)))

    assert seen.get_content_type() == "multipart/mixed"
    body, attached = seen.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert attached.get_content_type() == "text/csv"
    assert attached.get_param("charset") == "utf-8"
    assert attached.get_filename() == "BulkError.csv"
    assert attached.get_payload(decode=True) == attachment.data


def test_the_headers_have_date_sender_and_the_mark_of_a_program():
    seen = sent(message())

    assert seen["From"] == SENDER
    assert seen["To"] == "ann@b.org"
    assert seen["Date"].datetime == AT
    assert seen["Message-ID"] == "<1@dhhs.nc.gov>"
    assert seen["Auto-Submitted"] == "auto-generated"


INJECTIONS = [
    "x\r\nBcc: e@vil.org",  # a header
    "x\nBcc: e@vil.org",  # a header, with half a line break
    "x\r\n\r\nBcc: e@vil.org",  # the end of the headers
    "x\x00\x0bBcc: e@vil.org",  # other control characters
    "x\u2028Bcc: e@vil.org",  # what Python takes for a line break
    "\ud800Bcc: e@vil.org",  # half a surrogate pair
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_starts_a_header(text):
    attachment = mime.Attachment(name=text, content_type="text/csv", data=b"")
    seen = sent(
        message(
            subject=text,
            to=(f"{text}@b.org",),
            sender=f"{text} <a@b.org>",
            message_id=f"<{text}@b.org>",
            attachments=(attachment,),
        )
    )

    assert seen["Bcc"] is None
    assert len(seen["To"].addresses) == 1
    assert seen["Auto-Submitted"] == "auto-generated"
    assert [part["Bcc"] for part in seen.walk()] == [None] * 5


ADDRESSES = [
    ("o'brien+vaccine@a.museum", "o'brien+vaccine@a.museum"),  # as people have
    ("a..b@x.org", "a..b@x.org"),  # more dots than RFC 5322 allows
    ("a@münchen.de", "a@xn--mnchen-3ya.de"),  # a domain with other letters
    ("a, e@vil.org", '"a, e"@vil.org'),  # looks like two
    ("<a@b.org>, e@vil.org", '"<a@b.org>, e"@vil.org'),  # the same
    ("x" * 64 + "@" + "y" * 60 + ".org", "x" * 64 + "@" + "y" * 60 + ".org"),  # long
]


@pytest.mark.parametrize(("address", "header"), ADDRESSES)
def test_an_address_stays_one_address(address, header):
    seen = sent(message(to=(address,)))

    assert [each.addr_spec for each in seen["To"].addresses] == [header]


def test_several_addresses_are_all_named():
    seen = sent(message(to=("a@b.org", "c@d.org")))

    assert seen["To"] == "a@b.org, c@d.org"
