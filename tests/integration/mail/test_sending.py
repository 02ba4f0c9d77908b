"""Sending through a real mail server: what arrives, and how it can fail."""

import contextlib
import email
import socket
import ssl
from dataclasses import replace
from email import policy

import pytest

from cvms_pipeline import bootstrap
from cvms_pipeline.mail import maildir, mailer, smtp, smtp_server

LOG_IN = "us%40er:p%3Ass%20w%2Frd%25@"  # "us@er" and "p:ss w/rd%"
WRONG = "us%40er:wrong@"


def texts(error):
    """Everything that a traceback of the error would say."""
    said = []
    while error is not None:
        said.append(repr(error))
        error = error.__cause__ or error.__context__
    return " ".join(said)


def with_log_in(url, log_in=LOG_IN):
    return url.replace("//", f"//{log_in}")


def test_a_message_arrives_as_it_was_built(server, message, at):
    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        ended = sender.send(message, at=at)

    (arrived,) = server.mailbox.received
    seen = email.message_from_bytes(arrived.content, policy=policy.default)
    assert ended == mailer.Delivery(refused=())
    assert arrived.mail_from == "nccvms@dhhs.nc.gov"
    assert arrived.rcpt_tos == ["canary@b.org"]
    assert seen["Message-ID"] == "<1@dhhs.nc.gov>"
    assert seen.get_body(("plain",)).get_content().strip() == "Grüße"


def test_many_messages_are_sent_over_one_connection(server, message, at):
    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        for _ in range(5):
            sender.send(message, at=at)

    assert len(server.mailbox.received) == 5
    assert len(server.mailbox.sessions) == 1


def test_a_connection_that_the_server_closed_is_opened_again(
    start_server, server, message, at
):
    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        sender.send(message, at=at)
        sender._connection.sock.shutdown(socket.SHUT_RDWR)
        sender.send(message, at=at)

    assert len(server.mailbox.received) == 2


def test_starttls_is_used_where_it_is_offered(start_server, server_tls, message, at):
    server = start_server(tls_context=server_tls)

    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        sender.send(message, at=at)

    assert server.mailbox.was_tls == [True]


def test_user_and_password_are_decoded_and_go_over_tls(
    start_server, server_tls, log_in, message, at
):
    options = {"auth_require_tls": True, "auth_required": True, **log_in}
    server = start_server(tls_context=server_tls, **options)

    with contextlib.closing(smtp.SmtpMailer(with_log_in(server.url))) as sender:
        sender.send(message, at=at)

    assert server.mailbox.was_tls == [True]


def test_smtps_is_tls_from_the_start(
    start_server, server_tls, certificate, message, at
):
    server = start_server(ssl_context=server_tls, ready_timeout=20)
    trust = ssl.create_default_context(cafile=certificate[0])
    url = server.url.replace("smtp:", "smtps:")

    with contextlib.closing(smtp.SmtpMailer(url, trust=trust)) as sender:
        sender.send(message, at=at)

    assert len(server.mailbox.received) == 1


def test_with_starttls_in_the_url_nothing_is_sent_unencrypted(server, message, at):
    sender = smtp.SmtpMailer(server.url.replace("smtp:", "smtp+starttls:"))

    with pytest.raises(mailer.MailNotSecure, match="no STARTTLS"):
        sender.send(message, at=at)

    assert server.mailbox.received == []


def test_with_starttls_in_the_url_a_server_that_offers_it_is_used(
    start_server, server_tls, certificate, message, at
):
    server = start_server(tls_context=server_tls)
    trust = ssl.create_default_context(cafile=certificate[0])
    url = server.url.replace("smtp:", "smtp+starttls:")

    with contextlib.closing(smtp.SmtpMailer(url, trust=trust)) as sender:
        sender.send(message, at=at)

    assert server.mailbox.was_tls == [True]


def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    start_server, server_tls, message, at
):
    server = start_server(tls_context=server_tls)
    sender = smtp.SmtpMailer(server.url, trust=ssl.create_default_context())

    with pytest.raises(mailer.MailNotSecure, match="SSL_CERT_FILE"):
        sender.send(message, at=at)

    assert server.mailbox.received == []


def test_certificates_are_verified_except_on_this_machine():
    here, there = (
        smtp_server.parse_url(f"smtp://{host}") for host in ("127.0.0.1", "mail.org")
    )

    assert smtp_server.make_context(here, None).verify_mode is ssl.CERT_NONE
    assert smtp_server.make_context(there, None).verify_mode is ssl.CERT_REQUIRED
    assert smtp_server.make_context(there, None).check_hostname


def test_a_password_never_is_sent_unencrypted_to_another_machine(
    start_server, log_in, message, at, monkeypatch
):
    server = start_server(auth_require_tls=False, **log_in)
    monkeypatch.setattr(smtp_server.Server, "is_loopback", property(lambda _: False))
    sender = smtp.SmtpMailer(with_log_in(server.url))

    with pytest.raises(mailer.MailNotSecure, match="smtps://"):
        sender.send(message, at=at)


def test_a_wrong_password_delays_the_message_and_is_not_shown(
    start_server, log_in, message, at
):
    server = start_server(auth_require_tls=False, **log_in)
    sender = smtp.SmtpMailer(with_log_in(server.url, WRONG))

    with pytest.raises(mailer.MailLoginFailed, match="CVMS_SMTP_URL") as caught:
        sender.send(message, at=at)

    assert "wrong" not in texts(caught.value)
    assert "wrong" not in repr(sender)


def test_a_server_that_is_down_delays_the_message(server, message, at):
    server.stop()
    sender = smtp.SmtpMailer(server.url)

    with pytest.raises(mailer.MailServerAway, match=f"127.0.0.1:{server.port}"):
        sender.send(message, at=at)


def test_a_server_that_does_not_answer_delays_the_message(message, at):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        sender = smtp.SmtpMailer(url, timeout_seconds=0.2)

        with pytest.raises(mailer.MailServerAway, match="accepts no messages now"):
            sender.send(message, at=at)


FOR_LATER = [
    "450 4.2.1 canary@b.org is busy",  # grey-listing, a full mailbox
    "451 4.3.0 try again",  # a fault of theirs
    "421 4.3.2 canary@b.org: closing",  # and it closes the connection
    "450 canary@b.org: bo\u00eete pleine",  # an answer that is not ASCII
]

FOR_GOOD = [
    ("550 5.1.1 canary@b.org unknown", 550),  # no such mailbox
    ("552 5.2.2 canary@b.org is full", 552),  # and will be
    ("553 5.1.3 bad address syntax", 553),  # an address that cannot be
]


@pytest.mark.parametrize("answer", FOR_LATER)
def test_an_address_refused_temporarily_delays_the_message(server, message, at, answer):
    server.mailbox.answers["canary@b.org"] = answer
    sender = smtp.SmtpMailer(server.url)

    with pytest.raises(mailer.MailServerBusy) as caught:
        sender.send(message, at=at)
    server.mailbox.answers.clear()
    sender.send(message, at=at)
    sender.close()

    assert "canary" not in texts(caught.value)
    assert len(server.mailbox.received) == 1


def test_a_demanded_log_in_is_about_the_connection(server, message, at):
    server.mailbox.answers["canary@b.org"] = "530 5.7.0 Authentication required"

    with (
        contextlib.closing(smtp.SmtpMailer(server.url)) as sender,
        pytest.raises(mailer.MailLoginFailed, match="CVMS_SMTP_URL"),
    ):
        sender.send(message, at=at)


@pytest.mark.parametrize(("answer", "code"), FOR_GOOD)
def test_an_address_refused_permanently_refuses_the_message_without_naming_it(
    server, message, at, answer, code
):
    server.mailbox.answers["canary@b.org"] = answer

    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        with pytest.raises(mailer.MailRefused) as caught:
            sender.send(message, at=at)
        server.mailbox.answers.clear()
        sender.send(message, at=at)

    assert caught.value.smtp_code == code
    assert "canary" not in texts(caught.value)


def test_content_refused_permanently_refuses_the_message(server, message, at):
    server.mailbox.data_answer = "554 5.7.1 canary looks like spam"

    with (
        contextlib.closing(smtp.SmtpMailer(server.url)) as sender,
        pytest.raises(mailer.MailRefused, match="554") as caught,
    ):
        sender.send(message, at=at)

    assert "canary" not in texts(caught.value)


def test_a_sender_that_is_refused_delays_the_message(server, message, at):
    server.mailbox.answers["nccvms@dhhs.nc.gov"] = "550 5.7.1 not yours"

    with (
        contextlib.closing(smtp.SmtpMailer(server.url)) as sender,
        pytest.raises(mailer.MailServerBusy, match="550"),
    ):
        sender.send(message, at=at)


def test_a_message_that_is_too_large_is_refused_and_no_other(server, message, at):
    server.mailbox.answers["nccvms@dhhs.nc.gov"] = "552 5.3.4 too large"

    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        with pytest.raises(mailer.MailRefused, match="552"):
            sender.send(message, at=at)
        server.mailbox.answers.clear()
        sender.send(message, at=at)

    assert len(server.mailbox.sessions) == 1


def test_addresses_that_are_put_off_are_named_for_another_attempt(server, message, at):
    server.mailbox.answers["later@b.org"] = "450 4.2.0 greylisted"
    to_both = replace(message, to=("later@b.org", "canary@b.org"))

    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        ended = sender.send(to_both, at=at)

    assert ended == mailer.Delivery(postponed=("later@b.org",))


def test_some_addresses_refused_count_as_sent_to_the_others(server, message, at):
    server.mailbox.answers["gone@b.org"] = "550 5.1.1 unknown"
    to_both = replace(message, to=("gone@b.org", "canary@b.org"))

    with contextlib.closing(smtp.SmtpMailer(server.url)) as sender:
        ended = sender.send(to_both, at=at)

    assert ended.refused == (550,)
    assert [each.rcpt_tos for each in server.mailbox.received] == [["canary@b.org"]]


NEVER_SENT = [
    (),  # to nobody
    ("josé@b.org",),  # needs an extension that the server lacks
]


@pytest.mark.parametrize("to", NEVER_SENT)
def test_a_message_that_cannot_be_addressed_is_refused(start_server, message, at, to):
    server = start_server(enable_SMTPUTF8=False)

    with (
        contextlib.closing(smtp.SmtpMailer(server.url)) as sender,
        pytest.raises(mailer.MailRefused),
    ):
        sender.send(replace(message, to=to), at=at)


WRONG_URLS = [
    "http://user:secret@mail.org",  # another scheme
    "smtp://",  # no host
    "smtp://user:secret@mail.org:port",  # no number
    "smtp://user:secret@[mail.org",  # half a bracket
]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_wrong_url_is_explained_with_an_example_and_without_the_password(url):
    with pytest.raises(mailer.MailUrlWrong, match="CVMS_SMTP_URL") as caught:
        smtp.SmtpMailer(url)

    assert "secret" not in texts(caught.value)


PORTS = [
    ("smtp://mail.org", 25),
    ("smtp://user:password@mail.org", 587),
    ("smtps://mail.org", 465),
    ("smtp+starttls://mail.org", 587),
    ("smtp://mail.org:2525", 2525),
]


@pytest.mark.parametrize(("url", "port"), PORTS)
def test_the_usual_port_is_used_where_none_is_named(url, port):
    assert smtp_server.parse_url(url).port == port


def test_without_a_url_messages_go_to_the_maildir(tmp_path):
    assert isinstance(bootstrap.open_mailer(None, tmp_path), maildir.MaildirMailer)
    assert isinstance(
        bootstrap.open_mailer("smtp://mail.org", tmp_path), smtp.SmtpMailer
    )
