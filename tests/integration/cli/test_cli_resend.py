"""What a mail server has refused for good: counted, listed, mended, sent again."""

import pytest

from cvms_pipeline.ingest import deliver
from cvms_pipeline.notify import delivery
from cvms_pipeline.store import outbox

NEW = "desk@new.example.org"


@pytest.fixture
def refused(terminal, done, pipeline) -> dict[str, str]:
    """The ids of a refused notice, invitation and alert, by kind."""
    with pipeline.store.begin() as conn:
        told = {"about": "run-failed", "run": "r", "job": "retention"}
        to = "data-ops@example.org"
        outbox.queue_alert(conn, "x", to, now=pipeline.now(), details=told)
        conn.exec_driver_sql(
            "UPDATE cvms.messages SET status = 'refused', sent_at = NULL,"
            " last_error = 'SMTP 550' WHERE addresses <> ARRAY['bob@b.example.org']"
        )
    listed = terminal.cvms("messages", "--refused", "--json").json
    return {message["kind"]: message["id"] for message in listed}


def numbers(terminal):
    return terminal.cvms("status", "--no-processes", "--json").json["messages"][
        "refused"
    ]


def test_refused_messages_are_counted_by_kind_and_warned_of(terminal, refused):
    ended = terminal.cvms("status", "--no-processes")

    assert ended.code == 1
    assert "The mail server has refused 2 messages to a provider" in ended.out
    assert "1 to providers, 1 to recipients, 1 to data-ops" in ended.out
    assert numbers(terminal) == {"notice": 1, "invitation": 1, "alert": 1}


def test_the_list_of_refused_messages_has_the_ids_to_send_them_again(terminal, refused):
    listed = terminal.cvms("messages", "--refused").out

    assert set(refused) == {"notice", "invitation", "alert"}
    assert all(message_id in listed for message_id in refused.values())
    assert len(terminal.cvms("messages", "--unsent", "--json").json) == 1
    both = terminal.cvms("messages", "--unsent", "--refused", "--json").json
    assert len(both) == 4


def test_a_notice_is_sent_again_to_the_address_that_was_corrected(
    terminal, mercy, done, refused, pipeline
):
    changed = terminal.cvms("providers", "change", mercy, "--email", NEW)
    resent = terminal.cvms("resend", refused["notice"])

    assert (changed.code, resent.code) == (0, 0)
    assert "1 message is to be sent again" in resent.out
    assert deliver.notice(pipeline, done).sent == 1
    addresses = "SELECT addresses FROM cvms.messages WHERE kind = 'notice'"
    with pipeline.store.begin() as conn:
        assert conn.exec_driver_sql(addresses).scalars().all() == [[NEW]]
    (audited, *_) = terminal.cvms("audit", "--provider", mercy, "--json").json
    assert audited["event"] == "provider-changed"


def test_an_alert_goes_to_whom_alerts_go_to_now(
    terminal, refused, pipeline, monkeypatch
):
    monkeypatch.setenv("CVMS_DATA_OPS_EMAIL", NEW)

    terminal.cvms("resend", refused["alert"])

    listed = terminal.cvms("messages", "--unsent", "--json").json
    (alert,) = [message for message in listed if message["kind"] == "alert"]
    assert alert["to"] == ["d***@n***.org"]
    assert deliver.alerts(pipeline) == 1


def test_an_invitation_is_sent_again_to_its_own_address(
    terminal, done, refused, pipeline
):
    ended = terminal.cvms("resend", refused["invitation"], "--json")

    assert ended.json == {"resent": [refused["invitation"]]}
    assert deliver.invitations(pipeline, done).sent == 2
    assert numbers(terminal)["invitation"] == 0


# What makes a refused message nobody's matter any more, and which it is.
MENDED = [
    ("UPDATE cvms.providers SET emails = ARRAY['new@m.example.org']", "notice"),
    ("UPDATE cvms.providers SET is_enabled = false", "notice"),
    ("UPDATE cvms.recipients SET email = 'new@b.example.org'", "invitation"),
    ("UPDATE cvms.recipients SET removed_at = now()", "invitation"),
]


@pytest.mark.parametrize(("statement", "kind"), MENDED)
def test_what_was_sent_to_an_address_that_nobody_has_any_more_is_not_counted(
    terminal, refused, pipeline, statement, kind
):
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(statement)

    assert numbers(terminal) == {"notice": 1, "invitation": 1, "alert": 1} | {kind: 0}


@pytest.mark.parametrize("other", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_with_a_wrong_id_nothing_is_sent_again(terminal, refused, other):
    ended = terminal.cvms("resend", refused["notice"], other)

    assert (ended.code, ended.out) == (1, "")
    assert other in ended.err
    assert numbers(terminal)["notice"] == 1


def test_a_message_that_waits_or_was_sent_is_not_sent_again(terminal, done):
    for message in terminal.cvms("messages", "--json").json:
        assert terminal.cvms("resend", message["id"]).code == 1


def test_what_is_refused_once_more_is_refused_once_more(
    terminal, done, refused, pipeline, monkeypatch
):
    def refuse(*arguments, **options):
        raise delivery.MailRefused(550)

    terminal.cvms("resend", refused["notice"])
    monkeypatch.setattr(type(pipeline.mailer), "send", refuse)

    assert deliver.notice(pipeline, done).refused == 1
    assert numbers(terminal)["notice"] == 1


# Addresses that a provider cannot have, and what is told.
WRONG = [
    (("nobody",), "--email names is no e-mail address"),
    (("staff@m.example.org", "a@b"), "--email names in place 2 is no"),  # one of them
]


@pytest.mark.parametrize(("addresses", "told"), WRONG)
def test_a_wrong_address_changes_nothing(terminal, mercy, addresses, told):
    words = [word for address in addresses for word in ("--email", address)]

    ended = terminal.cvms("providers", "change", mercy, *words)

    assert ended.code == 1
    assert told in ended.err
    shown = terminal.cvms("providers", "show", mercy, "--json").json
    assert shown["emails"] == ["staff@m.example.org"]


def test_a_provider_that_nobody_knows_cannot_be_changed(terminal):
    ended = terminal.cvms("providers", "change", "nobody", "--email", NEW)

    assert ended.code == 1
    assert "There is no provider 'nobody'" in ended.err
