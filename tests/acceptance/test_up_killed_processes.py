"""Workers that are killed: their work and later work is finished."""

import re

import psutil
import pytest


def at_work(up, upload_id: str) -> list[psutil.Process]:
    """Return the child that works on the upload."""
    (run,) = up.runs(upload_id)
    logged = "SELECT event FROM dagster.event_logs WHERE run_id = :id"
    events = "".join(event for (event,) in up.rows(logged, id=run["runId"]))
    found = re.search(r"\(pid: (\d+)\)", events)
    assert found is not None
    return [psutil.Process(int(found.group(1)))]


def everyone(up, upload_id: str) -> list[psutil.Process]:
    """Return the whole worker."""
    worker = up.worker()
    return [*worker.children(), worker]


@pytest.mark.parametrize("victims", [at_work, everyone])
def test_an_upload_finishes_by_itself_after_its_worker_was_killed(up, people, victims):
    rows = people(3)
    with up.locked("cvms.recipients"):
        upload_id = up.upload_of(up.drop(rows))
        up.eventually(up.someone_waits)
        for each in victims(up, upload_id):
            each.kill()

    up.finished(upload_id)

    assert up.status(upload_id) == "completed"
    loaded = "SELECT count(*) FROM cvms.recipients WHERE upload_id = :id"
    assert up.rows(loaded, id=upload_id) == [(3,)]
    runs = [r for r in up.runs(upload_id) if r["jobName"] == "process_upload"]
    # One was lost; where the machine is so slow that the next starts late, that, too.
    last, *lost = [run["status"] for run in runs]
    assert last == "SUCCESS"
    assert {*lost} == {"FAILURE"}
    assert len(up.mail(upload_id)) == 1


def test_idle_children_that_are_killed_delay_no_upload(up, people):
    for each in up.eventually(lambda: up.worker() and up.worker().children()):
        each.kill()

    upload_id = up.bring(people(2))

    assert up.status(upload_id) == "completed"
