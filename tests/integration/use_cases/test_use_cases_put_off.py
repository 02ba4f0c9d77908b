"""Messages that a mail server puts off: each has its own next attempt."""

import contextlib
import datetime as dt
from dataclasses import dataclass, field, replace

import bad_mail_servers
import installations
import pytest
from bad_mail_servers import Manners
from installations import ANN

from cvms_pipeline.mail import smtp
from cvms_pipeline.use_cases import deliver, process, publish

LETTERS = "abcdefghij"


def rows(count):
    names = [f"Ann{LETTERS[n // 10]}{LETTERS[n % 10]}" for n in range(count)]
    return [f"{name},Lee,1/2/1990,{name.lower()}@b.example.org" for name in names]


@dataclass
class Greylisting(installations.Mailbox):
    """A server that accepts an address only a while after its first attempt."""

    clock: installations.Clock = field(default_factory=installations.Clock)
    delay: dt.timedelta = dt.timedelta()
    first: dict[str, dt.datetime] = field(default_factory=dict)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.clock() - self.first.setdefault(address, self.clock()) < self.delay:
            return "450 4.2.0 greylisted"
        return await super().handle_RCPT(server, session, envelope, address, options)


def waiting(site):
    return site.column("SELECT count(*) FROM cvms.messages WHERE status = 'waiting'")[0]


def go_to_next_attempt(site):
    """Set the clock to when the first message is due, and the sensor sees it."""
    due = site.column(
        "SELECT min(next_attempt_at) FROM cvms.messages WHERE status = 'waiting'"
    )[0]
    site.clock.ahead += max(due - site.clock(), dt.timedelta()) + dt.timedelta(
        seconds=1
    )


def test_an_address_that_is_put_off_puts_off_no_other(by_smtp, mailbox):
    upload_id = by_smtp.bring(rows(20))
    mailbox.answers["annad@b.example.org"] = "450 4.2.1 annad@b.example.org is full"
    mailbox.received.clear()

    first = deliver.send_invitations(by_smtp.pipeline, upload_id)
    again = []
    for _ in range(11):
        go_to_next_attempt(by_smtp)
        again.append(deliver.send_invitations(by_smtp.pipeline, upload_id).waiting)

    assert first.describe() == "19 sent, 0 refused, 1 waiting"
    assert len(mailbox.received) == 19
    assert again == [1] * 11
    kept = "SELECT last_error, attempts FROM cvms.messages WHERE status = 'waiting'"
    assert by_smtp.table(kept).to_numpy().tolist() == [["MailServerBusy", 12]]


@pytest.mark.parametrize("minutes", [1, 5, 30])
def test_greylisted_invitations_are_out_within_twice_the_delay(site, minutes):
    delay = dt.timedelta(minutes=minutes)
    upload_id = site.bring(rows(100))
    server = installations.MailServer(Greylisting(clock=site.clock, delay=delay))
    server.start()
    by_smtp = site.by_smtp(server.port)
    begun = site.clock()

    while deliver.send_invitations(by_smtp.pipeline, upload_id).waiting:
        go_to_next_attempt(site)

    assert site.clock() - begun < 2 * delay
    by_smtp.pipeline.mailer.close()
    server.stop()


def test_of_two_addresses_the_one_that_is_put_off_is_tried_again(by_smtp, mailbox):
    both = "ARRAY['one@mercy.example.org', 'two@mercy.example.org']"
    by_smtp.execute(f"UPDATE cvms.providers SET emails = {both}")  # noqa: S608 # above
    mailbox.answers["two@mercy.example.org"] = "450 4.2.0 greylisted"
    upload_id = by_smtp.bring([ANN])
    mailbox.answers.clear()
    by_smtp.clock.forward(seconds=16)

    delivered = deliver.send_notice(by_smtp.pipeline, upload_id)

    assert (delivered.sent, delivered.waiting) == (1, 0)
    assert [each["To"] for each in mailbox.received] == [
        "one@mercy.example.org, two@mercy.example.org",
        "two@mercy.example.org",
    ]
    assert len({each["Message-ID"] for each in mailbox.received}) == 1


@contextlib.contextmanager
def served(site, manners, seconds=0.5):
    """Yield the same installation with a mail server of these manners."""
    with (
        bad_mail_servers.running(manners),
        contextlib.closing(
            smtp.SmtpMailer(manners.url, timeout_seconds=seconds)
        ) as opened,
    ):
        yield replace(site, pipeline=replace(site.pipeline, mailer=opened))


def test_a_server_that_closes_in_mid_round_puts_off_one_message(site):
    upload_id = site.bring(rows(20))

    with served(site, Manners(closes_at=b"annad@"), seconds=30) as by_smtp:
        delivered = deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert delivered.describe() == "19 sent, 0 refused, 1 waiting"


def test_what_a_slow_server_leaves_no_time_for_is_due_at_once(site, monkeypatch):
    monkeypatch.setattr(deliver, "_MAX_BATCH_TIME", dt.timedelta(seconds=0.1))
    upload_id = site.bring(rows(5))

    with served(site, Manners(pause=0.05), seconds=30) as by_smtp:
        delivered = deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert delivered.describe() == "5 sent, 0 refused, 0 waiting"


def load(site, upload_id):
    """Do what the job `process_upload` does."""
    read = process.read_rows(site.pipeline, upload_id, "run").sheet
    judged = process.validate_rows(site.pipeline, upload_id, read)
    planned = process.find_duplicates(site.pipeline, upload_id, judged)
    process.load(site.pipeline, upload_id, planned)
    publish.publish(site.pipeline, upload_id)
    return deliver.send_notice(site.pipeline, upload_id, if_fast=True)


def load_eight(site):
    ids = [site.receive([row]) for row in rows(8)]
    return [load(site, upload_id).waiting for upload_id in ids]


# Servers that keep a sender until its time is over.
SLOW = [Manners(is_silent=True), Manners(pause=0.12)]


@pytest.mark.parametrize("manners", SLOW, ids=["silent", "drip"])
def test_loading_waits_once_for_a_server_that_is_slow(site, manners):
    with served(site, manners) as by_smtp:
        notices = load_eight(by_smtp)

    assert notices == [1] * 8
    assert manners.connections == 1
    completed = "SELECT count(*) FROM cvms.uploads WHERE status = 'completed'"
    assert site.column(completed) == [8]


def test_notices_are_left_while_messages_are_accepted_slowly(site, monkeypatch):
    monkeypatch.setattr(smtp, "_SLOW_SECONDS", 0.1)
    with served(site, Manners(pause=0.03), seconds=30) as by_smtp:
        notices = load_eight(by_smtp)
        due = deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0)

    assert notices == [0] + [1] * 7
    assert [each.kind for each in due].count(deliver.Kind.NOTICE) == 7


def test_a_server_that_drops_after_the_content_gets_it_with_growing_waits(site):
    manners = Manners(drops="data")
    with served(site, manners) as by_smtp:
        load_eight(by_smtp)
        for _ in range(120):  # ten minutes
            site.clock.forward(seconds=5)
            due = deliver.wait_for_due(by_smtp.pipeline, seconds=0, pause_seconds=0)
            for each in due:
                if each.kind is deliver.Kind.NOTICE:
                    deliver.send_notice(by_smtp.pipeline, each.upload_id)

    assert waiting(site) == 16  # eight notices, eight invitations
    assert 8 * 6 < manners.contents < 8 * 10
