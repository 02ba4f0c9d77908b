"""Tracebacks of workers that die contain no personal data from their memory."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import canaries
import psutil
import running
import test_up_killed_processes
import test_up_privacy

ABORTED = "Fatal Python error: Aborted"
WENT_WRONG = "no event of this run can be written"
REFUSE_EVENTS = """
CREATE FUNCTION dagster.refuse_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{text}';
END $$;
CREATE TRIGGER refuse_event BEFORE INSERT ON dagster.event_logs
    FOR EACH ROW WHEN (NEW.run_id = '{run_id}')
    EXECUTE FUNCTION dagster.refuse_event();
"""
TAKE_EVENTS = "DROP FUNCTION dagster.refuse_event() CASCADE"


def log_of_worker(up) -> str:
    return (up.data / "logs" / "worker.log").read_text("utf-8", "replace")


@contextmanager
def in_memory(up, people, number: int) -> Iterator[tuple[str, psutil.Process]]:
    """Yield an upload, and the child of the worker that holds its rows and waits."""
    rows = [*people(2), "Cy Canarywood#,,7/19/1931,cy@canary.example.org"]
    name = f"{number} {test_up_privacy.FILE_NAME}"
    lane = up.data / "incoming" / running.SLUG / "low_volume"
    with up.locked("cvms.recipients"):
        (lane / name).write_text("\r\n".join([running.HEADER, *rows]), "utf-8")
        upload_id = up.upload_of(name)
        up.eventually(up.someone_waits)
        (child,) = test_up_killed_processes.at_work(up, upload_id)
        yield upload_id, child


def assert_nobody_is_named(up) -> None:
    """Search every place of Dagster's and Celery's, every log and every process."""
    with up.store.begin() as conn:
        assert canaries.find_in_tables(conn, test_up_privacy.SCHEMAS) == {}
    places = (up.data / "logs", up.data / "dagster", up.home / "up.log")
    assert canaries.find_in_files(*places) == {}
    assert canaries.find_in_processes() == []


def test_a_worker_that_aborts_logs_the_place_and_no_name(up, people):
    with in_memory(up, people, 11) as (upload_id, child):
        no_core = child.rlimit(resource.RLIMIT_CORE)
        child.send_signal(signal.SIGABRT)
        up.eventually(lambda: ABORTED in log_of_worker(up))
        assert_nobody_is_named(up)  # while it is fresh
    up.finished(upload_id)

    assert "upsert_recipients" in log_of_worker(up).partition(ABORTED)[2]
    assert_nobody_is_named(up)
    assert no_core == (0, 0)
    assert list(up.home.rglob("core*")) == []


def test_the_traceback_of_an_error_outside_of_every_op_contains_no_name(up, people):
    with in_memory(up, people, 12) as (upload_id, _):
        (run,) = up.runs(upload_id)
        up.execute(REFUSE_EVENTS.format(text=WENT_WRONG, run_id=run["runId"]))
    try:
        up.eventually(lambda: "raised unexpected" in log_of_worker(up))
    finally:
        up.execute(TAKE_EVENTS)
    up.finished(upload_id)

    log = log_of_worker(up)
    _, raised, traceback = log.partition("raised unexpected")
    assert raised
    assert "Traceback (most recent call last)" in traceback
    assert up.status(upload_id) == "completed_with_errors"
    assert_nobody_is_named(up)
