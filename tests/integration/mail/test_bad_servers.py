"""Mail servers that are slow, silent or rude: how long they can keep a sender."""

import contextlib
import time

import bad_mail_servers
import pytest
from bad_mail_servers import Manners

from cvms_pipeline.mail import mailer, smtp


def failure(manners, message, at, seconds=0.5):
    """Return the error of sending, and how many seconds it took."""
    with (
        bad_mail_servers.running(manners),
        contextlib.closing(
            smtp.SmtpMailer(manners.url, timeout_seconds=seconds)
        ) as sender,
    ):
        begun = time.monotonic()
        with pytest.raises((mailer.MailServerAway, mailer.MailServerBusy)) as caught:
            sender.send(message, at=at)
        return caught.value, time.monotonic() - begun


# A server, the error that it causes, and whether it takes all the time that it has.
SERVERS = [
    (Manners(drops="greeting"), mailer.MailServerAway, False),
    (Manners(is_silent=True), mailer.MailServerAway, True),
    (Manners(pause=0.3), mailer.MailServerAway, True),  # not even the greeting is done
    (Manners(pause=0.12), mailer.MailServerSlow, True),  # each line comes in time
    (Manners(drops="data"), mailer.MailServerBusy, False),
    (Manners(closes_at=b"canary"), mailer.MailServerBusy, False),
]


@pytest.mark.parametrize(("manners", "error", "is_late"), SERVERS)
def test_the_whole_hand_over_has_a_deadline(manners, error, is_late, message, at):
    raised, seconds = failure(manners, message, at)

    assert type(raised) is error
    assert "canary" not in repr(raised)
    assert seconds < 3
    assert (seconds > 0.4) is is_late


def test_a_tarpit_of_one_line_a_second_gets_its_message(message, at):
    with bad_mail_servers.running(Manners(pause=1)) as manners:
        sender = smtp.SmtpMailer(manners.url)

        assert sender.send(message, at=at) == mailer.Delivery()
        begun = time.monotonic()
        sender.close()

    assert manners.contents == 1
    assert time.monotonic() - begun < 3


def test_a_server_that_took_long_is_known_to_be_slow(message, at, monkeypatch):
    monkeypatch.setattr(smtp, "_SLOW_SECONDS", 0.05)
    with bad_mail_servers.running(Manners(pause=0.02)) as manners:
        sender = smtp.SmtpMailer(manners.url)
        was_slow = sender.is_slow

        sender.send(message, at=at)

        assert (was_slow, sender.is_slow) == (False, True)
        sender.close()
