"""`cvms messages` lists the outbox, and `messages show` one message, safely."""

import pytest

from cvms_pipeline.mail import notices
from cvms_pipeline.use_cases import compose


def ids(terminal, *words):
    return [each["id"] for each in terminal.cvms("messages", *words, "--json").json]


def notice_of(terminal):
    (found,) = ids(terminal, "--kind", "notice")
    return found


def test_messages_of_a_kind_are_listed(terminal, done):
    found = terminal.cvms("messages", "--kind", "notice", "--json").json

    assert [each["kind"] for each in found] == ["notice"]
    assert len(ids(terminal)) == 3  # and two invitations
    assert len(ids(terminal, "--kind", "notice", "--kind", "invitation")) == 3
    assert len(ids(terminal, "--kind", "invitation", "--unsent")) == 2


def test_a_person_sees_the_id_of_a_message_to_read_it(terminal, done):
    assert notice_of(terminal) in terminal.cvms("messages", "--kind", "notice").out


def test_an_unknown_kind_is_refused_with_those_there_are(terminal):
    ended = terminal.cvms("messages", "--kind", "letter")

    assert ended.code == 2
    assert "refused-addresses" in ended.err


def test_a_message_is_shown_with_its_text_and_its_file(terminal, done):
    shown = terminal.cvms("messages", "show", notice_of(terminal))

    found = terminal.cvms("messages", "show", notice_of(terminal), "--json").json
    assert shown.code == 0
    assert "staff.csv" in shown.out
    assert "s***@m***.org" in shown.out
    assert found["subject"] == "Bulk Employee Upload - Failure"
    assert (terminal.home / found["file"]).read_text().count("\nFrom: ") == 1
    assert found["text"].splitlines()[-1] in shown.out


def test_the_link_of_an_invitation_and_the_address_are_not_shown(terminal, done):
    (first, _) = ids(terminal, "--kind", "invitation")

    shown = terminal.cvms("messages", "show", first).out

    assert "(the link is not shown)" in shown
    assert "/set-password/" not in shown
    assert "***@b***.org" in shown


def test_who_has_read_a_message_is_in_the_audit(terminal, done):
    notice = notice_of(terminal)

    terminal.cvms("messages", "show", notice)

    (entry, *_) = terminal.cvms("audit", "--json").json
    assert (entry["event"], entry["upload"]) == ("report-read", done)
    assert entry["details"] == {"message": notice}


def test_control_characters_of_a_message_do_nothing_to_a_terminal(
    terminal, done, monkeypatch
):
    made = notices.make_notice

    def with_bell(result, **options):
        message = made(result, **options)
        return type(message)(
            to=message.to,
            sender=message.sender,
            message_id=message.message_id,
            subject="\x1b]0;owned\x07",
            text="one\x1b[2Jtwo\x07\nthree",
        )

    monkeypatch.setattr(compose.notices, "make_notice", with_bell)

    shown = terminal.cvms("messages", "show", notice_of(terminal)).out

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "one\\x1b[2Jtwo\\x07\nthree\n" in shown


@pytest.mark.parametrize(
    "words", ["nothing", "0195a6a0-3f3e-7cc1-8a4e-0d5f1f6b9c1d", "' OR 1=1"]
)
def test_an_unknown_message_is_named(terminal, words):
    ended = terminal.cvms("messages", "show", words)

    assert ended.code == 1
    assert ended.err.startswith("Error: There is no message ")


def test_the_last_error_of_a_message_is_told_in_words(terminal, done, pipeline):
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL,"
            " last_error = 'MailServerAway' WHERE kind = 'notice'"
        )

    found = terminal.cvms("messages", "--kind", "notice", "--json").json
    status = terminal.cvms("status", "--no-processes", "--json").json

    assert found[0]["last_error"] == "MailServerAway"
    assert found[0]["why"].startswith("The Maildir cannot be written. Check its")
    assert status["messages"]["why"] == found[0]["why"]
