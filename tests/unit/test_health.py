"""Which problems a snapshot of an installation shows."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.local import health_probe, processes
from cvms_pipeline.maintenance import health
from cvms_pipeline.settings import loading
from cvms_pipeline.store import listing

NOW = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
OK, WARNING, CRITICAL = health.State


def ago(minutes):
    return NOW - dt.timedelta(minutes=minutes)


def process(state, name="worker"):
    return health.Process(name=name, state=state, pid=1, uptime_seconds=1.0)


def backlog(**other):
    nothing = listing.Backlog(
        uploads_waiting=0,
        oldest_upload=None,
        oldest_upload_at=None,
        uploads_failed=0,
        messages_unsent=0,
        oldest_message_at=None,
    )
    return replace(nothing, **other)


def queue(*, is_retention_failed=False, stopped=()):
    return dagster_tables.QueueCounts(
        queued=0,
        running=0,
        broker_messages=0,
        is_retention_failed=is_retention_failed,
        stopped=stopped,
    )


def misplaced(files, since):
    return health.IncomingCounts(
        files=0, oldest_at=None, misplaced=files, oldest_misplaced_at=since
    )


def disk(percent):
    return health.DiskSpace(folder="data", free_bytes=percent, size_bytes=100)


WELL = health.HealthSnapshot(
    taken_at=NOW,
    processes=[process("running")],
    backlog=backlog(),
    queue=None,
    incoming=health.IncomingCounts(files=0, oldest_at=None),
    disks=[disk(50)],
    failures=[],
)
LIMITS = health_probe.get_limits(loading.load(home=Path(__file__).parent))

# What a snapshot shows, how bad it is, and the words for it.
PROBLEMS = [
    ({"failures": ["The disk is away."]}, CRITICAL, "The disk is away."),
    ({"processes": [process("not running")]}, CRITICAL, "`cvms up` is not running."),
    (
        {"processes": [process("running"), process("backoff", "code")]},
        CRITICAL,
        "The process code is not working: backoff.",
    ),
    (
        {"processes": [process("running"), process("starting", "code")]},
        WARNING,
        "The process code is not working: starting.",
    ),
    (
        {"backlog": backlog(oldest_upload="u1", oldest_upload_at=ago(10))},
        WARNING,
        "The upload u1 has not finished for 10 minutes.",
    ),
    (
        {"backlog": backlog(oldest_upload="u1", oldest_upload_at=ago(60))},
        CRITICAL,
        "The upload u1 has not finished for 60 minutes.",
    ),
    (
        {"backlog": backlog(oldest_message_at=ago(11))},
        WARNING,
        "A message has waited for 11 minutes.",
    ),
    (
        {"incoming": health.IncomingCounts(files=1, oldest_at=ago(1_500))},
        CRITICAL,
        "A file in the incoming folder has not been taken in for 1,500 minutes.",
    ),
    (
        {"incoming": misplaced(1, ago(2))},
        WARNING,
        "1 file in no lane of the incoming folder; such files are not taken in."
        " Move each into low_volume or high_volume of its provider.",
    ),
    (
        {"incoming": misplaced(1_000, ago(1_500))},
        WARNING,
        "1,000 files in no lane of the incoming folder; such files are not taken in."
        " Move each into low_volume or high_volume of its provider.",
    ),
    (
        {"backlog": backlog(uploads_failed=1)},
        WARNING,
        "1 upload has failed; see `cvms uploads --status failed`.",
    ),
    (
        {"backlog": backlog(uploads_failed=1_000)},
        WARNING,
        "1,000 uploads have failed; see `cvms uploads --status failed`.",
    ),
    (
        {"backlog": backlog(notices_refused=1)},
        WARNING,
        "The mail server has refused 1 message to a provider, the help desk or"
        " data-ops; see `cvms messages --refused`.",
    ),
    (
        {
            "backlog": backlog(
                notices_refused=1, alerts_refused=600, help_desk_refused=400
            )
        },
        WARNING,
        "The mail server has refused 1,001 messages to a provider, the help desk or"
        " data-ops; see `cvms messages --refused`.",
    ),
    (
        {"queue": queue(is_retention_failed=True)},
        WARNING,
        "The last run of the job retention has failed; see its page.",
    ),
    (
        {"queue": queue(stopped=["incoming_uploads"])},
        WARNING,
        "A person has stopped incoming_uploads. Start it in the Dagster UI,"
        " Automation.",
    ),
    (
        {"disks": [disk(9)]},
        WARNING,
        "The disk of the folder data has 9 % free, 0.0 GB.",
    ),
    (
        {"disks": [disk(4)]},
        CRITICAL,
        "The disk of the folder data has 4 % free, 0.0 GB.",
    ),
]

# What is no problem.
FINE = [
    {},
    {"processes": None},  # something else runs them
    {"backlog": backlog(oldest_upload="u1", oldest_upload_at=ago(9))},
    {"backlog": backlog(oldest_upload="u1", oldest_upload_at=ago(-9))},  # two clocks
    {"backlog": backlog(invitations_refused=1)},  # their provider's to correct
    {"backlog": backlog(cases_refused=1, accounts_refused=1)},  # somebody has mistyped
    {"incoming": misplaced(1, ago(1))},  # about to be moved, maybe
    {"disks": [disk(10)]},
    {"queue": queue(is_retention_failed=False)},
]


@pytest.mark.parametrize(("other", "state", "text"), PROBLEMS)
def test_a_problem_is_described_in_a_sentence(other, state, text):
    problems = health.find_problems(replace(WELL, **other), LIMITS)

    assert problems == [health.Problem(state=state, text=text)]
    assert health.get_worst_state(problems) == state


@pytest.mark.parametrize("other", FINE)
def test_a_healthy_installation_has_no_problem(other):
    problems = health.find_problems(replace(WELL, **other), LIMITS)

    assert problems == []
    assert health.get_worst_state(problems) == OK


def test_the_worst_problem_comes_first():
    snapshot = replace(WELL, backlog=backlog(uploads_failed=1), disks=[disk(1)])

    problems = health.find_problems(snapshot, LIMITS)

    assert [problem.state for problem in problems] == [CRITICAL, WARNING]


# The UI's port, the setting of the metrics' port, and the port that results.
PORTS = [
    (3000, None, 3002),
    (3000, 9000, 9000),
    (3000, 0, 0),  # off
    (3000, "", 0),  # off, as an empty line in .env says it
    (65535, None, 65533),  # there is no port above it
]


@pytest.mark.parametrize(("ui", "chosen_port", "port"), PORTS)
def test_the_metrics_are_beside_the_ui_unless_a_setting_says_otherwise(
    tmp_path, ui, chosen_port, port
):
    chosen = loading.load(home=tmp_path, port=ui, metrics_port=chosen_port)

    assert chosen.web.metrics_port == port
    assert ("metrics" in processes.list_names(chosen)) == bool(port)
