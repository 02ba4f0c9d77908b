"""`cvms audit`: what commands record in it, and how it is shown."""

import os
import pwd

import pytest

ME = f"user:{pwd.getpwuid(os.getuid()).pw_name}"


def audited(terminal, event, *words):
    found = terminal.cvms("audit", "--json", *words).json
    return [entry for entry in found if entry["event"] == event]


def test_the_audit_distinguishes_the_service_from_users(terminal, mercy, done):
    (added,) = audited(terminal, "provider-added")
    (loaded,) = audited(terminal, "upload-loaded", "--upload", done)

    assert (added["actor"], added["provider"]) == (ME, mercy)
    assert loaded["actor"] == "service"
    assert (loaded["upload"], loaded["run"]) == (done, "run")
    assert loaded["details"] == {"rows": 4, "loaded": 2, "updated": 0, "rejected": 2}


READING = [
    ("report", "{}"),
    ("report", "{}", "report.csv"),
    ("upload", "{}"),
    ("upload", "{}", "--json"),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_every_reading_of_a_report_is_recorded(terminal, done, words, monkeypatch):
    monkeypatch.chdir(terminal.home)

    assert terminal.cvms(*(word.format(done) for word in words)).code == 0

    (read,) = audited(terminal, "report-read")
    assert (read["actor"], read["upload"]) == (ME, done)
    as_file = {"file": True} if words[0] == "report" else {}
    assert (read["provider"], read["details"]) == (
        "mercy-hospital",
        {"rows": 2, **as_file},
    )


def test_dropping_a_file_and_reading_its_report_is_recorded(terminal, mercy, at_work):
    path = terminal.file(
        "mine.csv", "First name,Last name,Date of birth,Email", "Ann,,1/2/1990,a@b.org"
    )

    words = ("--provider", mercy, "--lane", "low_volume", "--wait", "--timeout", "60")
    assert terminal.cvms("drop", path, *words).code == 1

    (read,) = audited(terminal, "report-read")
    assert read["details"] == {"rows": 1}


def test_no_reading_is_recorded_if_the_command_shows_no_report(terminal, done):
    assert terminal.cvms("uploads").code == 0
    assert terminal.cvms("messages").code == 0
    assert terminal.cvms("recipients", "nobody").code == 0

    events = {entry["event"] for entry in terminal.cvms("audit", "--json").json}
    assert not events & {"report-read", "recipients-read"}


def test_the_audit_records_a_search_without_the_recipients_names(terminal, done):
    assert terminal.cvms("recipients", "bob").code == 0

    (read,) = audited(terminal, "recipients-read")
    assert (read["actor"], read["details"]) == (ME, {"recipients": 1})


def test_the_audit_is_a_table_of_actors_events_and_objects(terminal, mercy, done):
    shown = terminal.cvms("audit").out

    assert all(word in shown for word in (ME, "upload-loaded", "loaded 2", done, mercy))


def test_only_the_entries_since_a_day_are_shown(terminal, mercy):
    assert terminal.cvms("audit", "--since", "2999-12-31").out == "No such entries.\n"
    assert audited(terminal, "provider-added", "--since", "2020-01-01")


def test_enabling_and_disabling_a_provider_is_recorded(terminal, mercy):
    assert terminal.cvms("providers", "disable", mercy).code == 0
    assert terminal.cvms("providers", "enable", mercy).code == 0

    events = terminal.cvms("audit", "--provider", mercy, "--json").json
    assert [entry["event"] for entry in events] == [
        "provider-enabled",
        "provider-disabled",
        "provider-added",
    ]
