"""What of that which was seen somebody should look at."""

import datetime as dt
from dataclasses import replace

import pytest

from cvms_pipeline import settings
from cvms_pipeline.files import space, unclaimed
from cvms_pipeline.ingest import health
from cvms_pipeline.local import processes, watching
from cvms_pipeline.store import health as stored
from cvms_pipeline.store import neighbours

NOW = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
OK, WARNING, CRITICAL = health.State


def ago(minutes):
    return NOW - dt.timedelta(minutes=minutes)


def process(state, name="worker"):
    return health.Process(name=name, state=state, pid=1, uptime_seconds=1.0)


def waiting(**other):
    nothing = stored.Backlog(
        uploads_waiting=0,
        oldest_upload=None,
        oldest_upload_at=None,
        uploads_failed=0,
        messages_unsent=0,
        oldest_message_at=None,
    )
    return replace(nothing, **other)


def queue(*, is_retention_failed):
    return neighbours.Queue(
        queued=0,
        running=0,
        broker_messages=0,
        is_retention_failed=is_retention_failed,
    )


def astray(files, since):
    return unclaimed.Unclaimed(
        files=0, oldest_at=None, misplaced=files, oldest_misplaced_at=since
    )


def disk(percent):
    return space.Space(name="data", free_bytes=percent, size_bytes=100)


WELL = health.Seen(
    at=NOW,
    processes=[process("running")],
    backlog=waiting(),
    queue=None,
    unclaimed=unclaimed.Unclaimed(files=0, oldest_at=None),
    spaces=[disk(50)],
    faults=[],
)
LIMITS = watching.limits(settings.Settings())

# What is seen, how bad it is, and the words for it.
SEEN = [
    ({"faults": ["The disk is away."]}, CRITICAL, "The disk is away."),
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
        {"backlog": waiting(oldest_upload="u1", oldest_upload_at=ago(10))},
        WARNING,
        "The upload u1 has not finished for 10 minutes.",
    ),
    (
        {"backlog": waiting(oldest_upload="u1", oldest_upload_at=ago(60))},
        CRITICAL,
        "The upload u1 has not finished for 60 minutes.",
    ),
    (
        {"backlog": waiting(oldest_message_at=ago(11))},
        WARNING,
        "A message has waited for 11 minutes.",
    ),
    (
        {"unclaimed": unclaimed.Unclaimed(files=1, oldest_at=ago(1_500))},
        CRITICAL,
        "A file in the incoming folder has not been taken in for 1,500 minutes.",
    ),
    (
        {"unclaimed": astray(1, ago(2))},
        WARNING,
        "1 file in the incoming folder lies in no lane, and nobody takes it in."
        " Move it into low_volume or high_volume of its provider.",
    ),
    (
        {"unclaimed": astray(1_000, ago(1_500))},
        WARNING,
        "1,000 files in the incoming folder lie in no lane, and nobody takes them in."
        " Move each into low_volume or high_volume of its provider.",
    ),
    (
        {"backlog": waiting(uploads_failed=1)},
        WARNING,
        "1 upload has failed; see `cvms uploads`.",
    ),
    (
        {"backlog": waiting(uploads_failed=1_000)},
        WARNING,
        "1,000 uploads have failed; see `cvms uploads`.",
    ),
    (
        {"backlog": waiting(notices_refused=1)},
        WARNING,
        "The mail server has refused 1 message to a provider or data-ops; see"
        " `cvms messages --refused`.",
    ),
    (
        {"backlog": waiting(notices_refused=1, alerts_refused=1_000)},
        WARNING,
        "The mail server has refused 1,001 messages to a provider or data-ops; see"
        " `cvms messages --refused`.",
    ),
    (
        {"queue": queue(is_retention_failed=True)},
        WARNING,
        "The last run of the job retention has failed; see its page.",
    ),
    (
        {"spaces": [disk(9)]},
        WARNING,
        "The disk of the folder data has 9 % free, 0.0 GB.",
    ),
    (
        {"spaces": [disk(4)]},
        CRITICAL,
        "The disk of the folder data has 4 % free, 0.0 GB.",
    ),
]

# What is not worth a word.
FINE = [
    {},
    {"processes": None},  # something else runs them
    {"backlog": waiting(oldest_upload="u1", oldest_upload_at=ago(9))},
    {"backlog": waiting(oldest_upload="u1", oldest_upload_at=ago(-9))},  # two clocks
    {"backlog": waiting(invitations_refused=1)},  # their provider's to correct
    {"unclaimed": astray(1, ago(1))},  # about to be moved, maybe
    {"spaces": [disk(10)]},
    {"queue": queue(is_retention_failed=False)},
]


@pytest.mark.parametrize(("other", "state", "text"), SEEN)
def test_what_is_wrong_is_said_in_a_sentence(other, state, text):
    found = health.problems(replace(WELL, **other), LIMITS)

    assert found == [health.Problem(state=state, text=text)]
    assert health.worst(found) == state


@pytest.mark.parametrize("other", FINE)
def test_what_is_well_is_no_problem(other):
    found = health.problems(replace(WELL, **other), LIMITS)

    assert found == []
    assert health.worst(found) == OK


def test_the_worst_comes_first():
    seen = replace(WELL, backlog=waiting(uploads_failed=1), spaces=[disk(1)])

    found = health.problems(seen, LIMITS)

    assert [problem.state for problem in found] == [CRITICAL, WARNING]


# The UI's port, what is said of the metrics' port, and where they are.
PORTS = [
    (3000, None, 3002),
    (3000, 9000, 9000),
    (3000, 0, 0),  # off
    (3000, "", 0),  # off, as an empty line in .env says it
    (65535, None, 65533),  # there is no port above it
]


@pytest.mark.parametrize(("ui", "said", "port"), PORTS)
def test_the_metrics_are_beside_the_ui_unless_said_otherwise(ui, said, port):
    chosen = settings.Settings(port=ui, metrics_port=said)

    assert processes.metrics_port(chosen) == port
    assert ("metrics" in processes.names(chosen)) == bool(port)
