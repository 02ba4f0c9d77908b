"""Foreign texts in messages: none of them adds a header."""

import os
from pathlib import Path

import pytest
from installations import ANN, HEADER

from cvms_pipeline.domain.vocabulary import provider

FILE_NAMES = [
    "x.csv\r\nBcc: all@evil.example.org\r\n\r\nHello",
    "x\nTo: all@evil.example.org.csv",
    "x\u2028Bcc: all@evil.example.org.csv",
    "=?utf-8?q?=0D=0ABcc:_all@evil.example.org?=.csv",  # an encoded word
    "x" * 250 + ".csv",
    "<a href=evil.example.org>x.csv",
]
ADDRESSES = [
    "a@b.org\r\nBcc: all@evil.example.org",
    "a@b.org\nBcc:all@evil.example.org",
    "a@b.org,all@evil.example.org",
    "a@b.org;all@evil.example.org",
    "A <all@evil.example.org> a@b.org",
    "=?utf-8?q?a=0D=0ABcc:all?=@b.org\r\n",
    '"a\r\nBcc: all@evil.example.org"@b.org',
    "a@b.org\x00all@evil.example.org",
    "a" * 300 + "@b.org",
    "a@[127.0.0.1]",
    "|/bin/sh@b",
]
OURS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"}
OF_MIME = {"MIME-Version", "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo"}


def headers_of(message):
    return set(message.keys()) - OF_MIME - {"Content-Transfer-Encoding"}


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_file_name_adds_no_header_and_no_recipient_to_a_message(
    by_smtp, mailbox, name
):
    path = Path(os.fsdecode(os.fsencode(by_smtp.lane()) + b"/" + os.fsencode(name)))
    path.write_text(f"{HEADER}\n{ANN}\nBob,,,", "utf-8")
    (taken,) = by_smtp.take_in()

    by_smtp.process(taken.id)

    (notice,) = mailbox.received
    assert headers_of(notice) == OURS
    assert notice["To"] == "staff@mercy.example.org"
    assert notice["Subject"] == "Bulk Employee Upload - Failure"
    assert "<a href=evil" not in notice.get_body(("html",)).get_content()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hostile_address_of_a_recipient_is_rejected_and_not_invited(by_smtp, address):
    quoted = address.replace('"', '""').replace("\x00", "\u2400")

    upload_id = by_smtp.bring([f'Ann,Lee,1/2/1990,"{quoted}"'])

    assert by_smtp.upload(upload_id).loaded == 0
    invitations = "SELECT count(*) FROM cvms.messages WHERE kind = 'invitation'"
    assert by_smtp.column(invitations) == [0]


@pytest.mark.parametrize("address", [a for a in ADDRESSES if "\n" in a or "," in a])
def test_a_hostile_address_of_a_provider_is_refused(site, address):
    with pytest.raises(provider.EmailsInvalid):
        provider.Provider(
            slug="mercy",
            name="Mercy",
            vfc_pin="NCA123456",
            emails=(address,),
            created_at=site.clock(),
        )
