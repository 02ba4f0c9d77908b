"""`cvms status`, for a person and for monitoring."""

import os

import pytest

from cvms_pipeline.domain.vocabulary import cases, upload


def test_a_process_that_does_not_run_is_critical_and_described(alone):
    ended = alone.cvms("status")

    assert ended.code == 2
    assert ended.out.startswith("CRITICAL\n")
    assert "`cvms up` is not running." in ended.out
    assert "There is no database yet." not in ended.out  # it would be started, too
    assert "unknown" not in ended.out


def test_status_starts_nothing(alone):
    alone.cvms("status")

    assert not (alone.home / "data").exists()


def test_without_its_own_processes_an_installation_can_be_healthy(terminal, mercy):
    ended = terminal.cvms("status", "--no-processes", "--json")

    assert ended.code == 0
    assert ended.json["state"] == "ok"
    assert ended.json["problems"] == []
    assert ended.json["processes"] is None


def test_a_failed_upload_is_a_warning(terminal, mercy, done, pipeline):
    from cvms_pipeline.store import uploads

    with pipeline.store.begin() as conn:
        uploads.mark_failed(conn, done, now=pipeline.now())

    ended = terminal.cvms("status", "--no-processes")

    assert ended.code == 1
    assert ended.out.startswith("WARNING\nWARNING: 1 upload has failed")


def test_the_document_has_every_number(terminal, mercy):
    lane = terminal.lane(mercy, upload.Lane.LOW_VOLUME)
    (lane / "Canarywood.csv").write_text("it waits")

    found = terminal.cvms("status", "--json").json

    assert found["incoming"]["files"] == 1
    assert found["incoming"]["misplaced"] == {"files": 0, "oldest_seconds": 0}
    assert found["uploads"] == {
        "waiting": 0,
        "oldest": None,
        "oldest_seconds": 0,
        "failed": 0,
        "oldest_failure": None,
        "last_failed": None,
        "last_failure": None,
    }
    assert found["messages"] == {
        "unsent": 0,
        "oldest_seconds": 0,
        "last_error": None,
        "why": None,
        "refused": dict.fromkeys(
            ("notice", "invitation", "alert", "help_desk", "case", "account"), 0
        ),
    }
    assert found["queue"] == {
        "queued": None,  # of an installation that was never started
        "running": None,
        "broker_messages": None,
        "is_retention_failed": None,
        "stopped": None,
    }
    assert found["cases"] == {
        "open": 0,
        "unassigned": 0,
        "overdue": 0,
        "states": dict.fromkeys(cases.State, 0),
    }
    steps = ("loaded", "invited", "passwords_set", "registered", "denied")
    assert found["recipients"] == dict.fromkeys(steps, 0)
    assert [disk["folder"] for disk in found["disks"]] == [
        "data",
        "incoming",
        "archive",
    ]
    assert {process["state"] for process in found["processes"]} == {"not running"}
    assert found["state"] == "critical"


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["people", "programs"])
def test_no_file_name_is_shown(terminal, mercy, words):
    lane = terminal.lane(mercy, upload.Lane.LOW_VOLUME)
    path = lane / "Canarywood.csv"
    path.write_text("it waits")
    os.utime(path, (0, 0))

    assert "Canarywood" not in terminal.cvms("status", *words).out


def test_a_file_outside_of_the_lanes_is_reported_without_its_name(terminal, mercy):
    (terminal.lane(mercy).parent / "Canarywood.csv").write_text("it is ignored")

    shown = terminal.cvms("status", "--no-processes")
    found = terminal.cvms("status", "--no-processes", "--json")

    assert "Files in no lane        1, the oldest for" in shown.out
    assert found.json["incoming"]["misplaced"]["files"] == 1
    assert "Canarywood" not in shown.out + found.out


def test_an_unreachable_database_is_critical(terminal, mercy, monkeypatch):
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    ended = terminal.cvms("status", "--no-processes", "--json")

    assert ended.code == 2
    assert "cannot be reached" in ended.json["problems"][0]["text"]
    assert ended.json["uploads"] is None


def test_a_misspelt_setting_is_critical_too(terminal, monkeypatch):
    monkeypatch.setenv("CVMS_METRIC_PORT", "3002")

    ended = terminal.cvms("status")

    assert ended.code == 2
    assert "CVMS_METRICS_PORT meant?" in ended.err


def test_a_wrong_setting_is_critical_too(terminal, monkeypatch):
    monkeypatch.setenv("CVMS_METRICS_PORT", "much")

    ended = terminal.cvms("status")

    assert ended.code == 2
    assert "CVMS_METRICS_PORT" in ended.err
