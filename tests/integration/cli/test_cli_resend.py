"""Messages that a mail server has refused: counted, listed, and sent again."""

import pytest

from cvms_pipeline.mail import mailer
from cvms_pipeline.store import outbox
from cvms_pipeline.use_cases import deliver

NEW = "desk@new.example.org"
ONE_EACH = {"notice": 1, "invitation": 1, "alert": 1}
ONE_EACH |= {"help_desk": 0, "case": 0, "account": 0}


@pytest.fixture
def refused(terminal, done, pipeline) -> dict[str, str]:
    """The ids of a refused notice, invitation and alert, by kind."""
    with pipeline.store.begin() as conn:
        details = {"about": "run-failed", "run": "r", "job": "retention"}
        to = "data-ops@example.org"
        outbox.queue_alert(conn, "x", to, now=pipeline.now(), details=details)
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


def test_refused_messages_are_counted_by_kind_and_cause_a_warning(terminal, refused):
    ended = terminal.cvms("status", "--no-processes")

    assert ended.code == 1
    assert "The mail server has refused 2 messages to a provider" in ended.out
    assert "1 to providers, 1 to recipients, 1 to data-ops" in ended.out
    assert numbers(terminal) == ONE_EACH


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
    assert deliver.send_notice(pipeline, done).sent == 1
    addresses = "SELECT addresses FROM cvms.messages WHERE kind = 'notice'"
    with pipeline.store.begin() as conn:
        assert conn.exec_driver_sql(addresses).scalars().all() == [[NEW]]
    (audited, *_) = terminal.cvms("audit", "--provider", mercy, "--json").json
    assert audited["event"] == "provider-changed"


def test_an_alert_is_sent_again_to_the_present_address(
    terminal, refused, pipeline, monkeypatch
):
    monkeypatch.setenv("CVMS_DATA_OPS_EMAIL", NEW)

    terminal.cvms("resend", refused["alert"])

    listed = terminal.cvms("messages", "--unsent", "--json").json
    (alert,) = [message for message in listed if message["kind"] == "alert"]
    assert alert["to"] == ["d***@n***.org"]
    assert deliver.send_alerts(pipeline) == 1


@pytest.fixture
def of_portal(pipeline) -> dict[str, str]:
    """The ids of refused messages about a case and an account, by whom they are for."""
    told = {
        "staff": ("case", {"case": 1001, "about": "opened", "staff": True}),
        "requester": ("case", {"case": 1001, "about": "opened", "staff": False}),
        "owner": ("account", {"account": "a", "nonce": "b"}),
    }
    with pipeline.store.begin() as conn:
        for who, (kind, details) in told.items():
            to, facts = [f"{who}@old.example.org"], {"kind": kind, "details": details}
            outbox.queue(conn, now=pipeline.now(), purpose=who, addresses=to, **facts)
        conn.exec_driver_sql("UPDATE cvms.messages SET status = 'refused'")
        found = conn.exec_driver_sql(
            "SELECT purpose, CAST(id AS text) FROM cvms.messages"
        )
        return dict(found.all())


def test_refused_messages_about_cases_and_accounts_are_counted(terminal, of_portal):
    ended = terminal.cvms("status", "--no-processes")

    assert "1 message to a provider, the help desk or data-ops" in ended.out
    what = "0 to data-ops, 1 to the help desk, 1 about cases, 1 about accounts"
    assert what in ended.out
    counted = {
        name: numbers(terminal)[name] for name in ("help_desk", "case", "account")
    }
    assert counted == {"help_desk": 1, "case": 1, "account": 1}


def test_what_is_for_the_help_desk_is_sent_again_to_its_present_address(
    terminal, of_portal, monkeypatch
):
    monkeypatch.setenv("CVMS_HELP_DESK_EMAIL", NEW)

    ended = terminal.cvms("resend", *of_portal.values())

    assert ended.code == 0, ended.err
    listed = terminal.cvms("messages", "--unsent", "--json").json
    to = {message["id"]: message["to"] for message in listed}
    assert to[of_portal["staff"]] == ["d***@n***.org"]
    assert to[of_portal["requester"]] == ["r***@o***.org"]
    assert to[of_portal["owner"]] == ["o***@o***.org"]


def test_an_invitation_is_sent_again_to_its_own_address(
    terminal, done, refused, pipeline
):
    ended = terminal.cvms("resend", refused["invitation"], "--json")

    assert ended.json == {"resent": [refused["invitation"]]}
    assert deliver.send_invitations(pipeline, done).sent == 2
    assert numbers(terminal)["invitation"] == 0


# What makes a refused message irrelevant, and which message that is.
MENDED = [
    ("UPDATE cvms.providers SET emails = ARRAY['new@m.example.org']", "notice"),
    ("UPDATE cvms.providers SET is_enabled = false", "notice"),
    ("UPDATE cvms.recipients SET email = 'new@b.example.org'", "invitation"),
]


@pytest.mark.parametrize(("statement", "kind"), MENDED)
def test_a_refusal_of_a_replaced_address_is_not_counted(
    terminal, refused, pipeline, statement, kind
):
    with pipeline.store.begin() as conn:
        conn.exec_driver_sql(statement)

    assert numbers(terminal) == ONE_EACH | {kind: 0}


@pytest.mark.parametrize("other", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_with_a_wrong_id_nothing_is_sent_again(terminal, refused, other):
    ended = terminal.cvms("resend", refused["notice"], other)

    assert (ended.code, ended.out) == (1, "")
    assert other in ended.err
    assert numbers(terminal)["notice"] == 1


def test_a_message_that_waits_or_was_sent_is_not_sent_again(terminal, done):
    for message in terminal.cvms("messages", "--json").json:
        assert terminal.cvms("resend", message["id"]).code == 1


def test_a_message_can_be_refused_a_second_time(
    terminal, done, refused, pipeline, monkeypatch
):
    def refuse(*arguments, **options):
        raise mailer.MailRefused(550)

    terminal.cvms("resend", refused["notice"])
    monkeypatch.setattr(type(pipeline.mailer), "send", refuse)

    assert deliver.send_notice(pipeline, done).refused == 1
    assert numbers(terminal)["notice"] == 1


# Addresses that a provider cannot have, and the error text.
WRONG = [
    (("nobody",), "--email names is no e-mail address"),
    (("staff@m.example.org", "a@b"), "--email names in place 2 is no"),  # one of them
]


@pytest.mark.parametrize(("addresses", "error"), WRONG)
def test_a_wrong_address_changes_nothing(terminal, mercy, addresses, error):
    words = [word for address in addresses for word in ("--email", address)]

    ended = terminal.cvms("providers", "change", mercy, *words)

    assert ended.code == 1
    assert error in ended.err
    shown = terminal.cvms("providers", "show", mercy, "--json").json
    assert shown["emails"] == ["staff@m.example.org"]


def test_an_unknown_provider_cannot_be_changed(terminal):
    ended = terminal.cvms("providers", "change", "nobody", "--email", NEW)

    assert ended.code == 1
    assert "There is no provider 'nobody'" in ended.err
