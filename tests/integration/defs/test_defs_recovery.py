"""Runs that failed for no fault of their upload: followed by one run, never lost."""

import datetime as dt

import dagster as dg
import pytest
from installations import ANN

from cvms_pipeline import errors
from cvms_pipeline.defs import failures, recovery
from cvms_pipeline.use_cases import process

FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def ended(desk, upload_id, status=FAILURE, job="process_upload", **tags):
    """Leave a run behind as Dagster does when its worker has died."""
    named = {"dagster/partition": upload_id, "cvms/provider": "mercy", **tags}
    run = dg.DagsterRun(job_name=job, status=status, tags=named)
    desk.instance.add_run(run)
    return run


def requested_again(desk, **ahead):
    """Return what is asked for after a while."""
    desk.site.clock.forward(**(ahead or {"seconds": 10}))
    result = desk.sensor("lost_runs")
    if isinstance(result, dg.SkipReason):
        return []
    return [(each.partition_key, each.run_key) for each in result.run_requests]


def failed(desk, upload_id, monkeypatch, error):
    def fail(*arguments):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(process, "validate_rows", fail)
        return desk.run(upload_id)


def reported(desk, run):
    """Return what the alert is about as this run has failed."""
    return recovery.find_alert_key(desk.instance, run)


def test_a_run_whose_worker_has_died_is_followed_by_one_run(desk):
    upload_id = desk.receive([ANN])
    run = ended(desk, upload_id)

    first, second = requested_again(desk), requested_again(desk)

    assert first == second == [(upload_id, f"{upload_id}:{run.run_id}")]


def test_it_keeps_its_place_in_the_queue(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, **{"dagster/priority": "10"})
    desk.site.clock.forward(seconds=10)

    (request,) = desk.sensor("lost_runs").run_requests

    assert request.tags["cvms/provider"] == "mercy"
    assert request.tags["dagster/priority"] == "10"


def test_a_run_that_dagster_will_retry_is_left_to_it_for_a_while(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, **{"dagster/will_retry": "true"})

    assert requested_again(desk, seconds=20) == []
    assert len(requested_again(desk, seconds=20)) == 1


def test_a_run_that_was_followed_by_another_is_not_requested_again(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id)
    ended(desk, upload_id, SUCCESS)

    assert requested_again(desk) == []


def test_an_upload_that_was_decided_before_its_run_was_lost_is_finished(desk):
    upload_id = desk.bring([ANN])
    run = ended(desk, upload_id)

    assert requested_again(desk) == [(upload_id, f"{upload_id}:{run.run_id}")]


def test_the_wait_grows_with_every_run_that_is_lost(desk):
    upload_id = desk.receive([ANN])
    for _ in range(8):
        ended(desk, upload_id)

    assert requested_again(desk, minutes=2) == []
    assert len(requested_again(desk, minutes=9)) == 1


def test_a_run_is_requested_again_after_a_long_outage_of_a_dependency(
    desk, monkeypatch
):
    upload_id = desk.receive([ANN])
    away = errors.TransientError("The disk is full.")

    result = failed(desk, upload_id, monkeypatch, away)

    assert not result.success
    assert requested_again(desk) == [(upload_id, f"{upload_id}:{result.run_id}")]


# What will fail again until somebody mends it.
PERMANENT = [errors.PermanentError("A rule is broken."), KeyError("a bug")]


@pytest.mark.parametrize("error", PERMANENT, ids=["permanent", "bug"])
def test_a_permanent_failure_is_reported_and_not_requested_again(
    desk, monkeypatch, error
):
    upload_id = desk.receive([ANN])

    result = failed(desk, upload_id, monkeypatch, error)

    assert requested_again(desk) == []
    run = desk.instance.get_run_by_id(result.run_id)
    assert reported(desk, run) == result.run_id


def test_people_are_alerted_once_to_runs_that_are_lost_too_often(desk):
    upload_id = desk.receive([ANN])

    runs, found = [], []
    for _ in range(recovery._FAILURES_BEFORE_ALERT + 2):
        runs.append(ended(desk, upload_id))
        found.append(reported(desk, runs[-1]))

    sixth = runs[recovery._FAILURES_BEFORE_ALERT].run_id
    assert found == [None] * recovery._FAILURES_BEFORE_ALERT + [sixth, sixth]


def test_a_run_that_dagster_will_retry_is_not_reported(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    result = failed(desk, upload_id, monkeypatch, PERMANENT[0])
    run = desk.instance.get_run_by_id(result.run_id)
    desk.instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})

    assert reported(desk, desk.instance.get_run_by_id(run.run_id)) is None


# A later run, and whether it leaves the failed one to be reported.
LATER_RUNS = [
    ("process_upload", {}, False),
    ("__ASSET_JOB", {}, False),  # started by a person from the page of an asset
    ("send_invitations", {"cvms/purpose": "messages"}, True),
]


@pytest.mark.parametrize(("job", "tags", "is_reported"), LATER_RUNS)
def test_a_later_run_decides_if_its_purpose_is_the_same(
    desk, monkeypatch, job, tags, is_reported
):
    upload_id = desk.receive([ANN])
    result = failed(desk, upload_id, monkeypatch, PERMANENT[0])
    ended(desk, upload_id, SUCCESS, job, **tags)

    run = desk.instance.get_run_by_id(result.run_id)

    assert reported(desk, run) == (result.run_id if is_reported else None)


def test_a_run_that_carried_messages_is_followed_by_another_of_its_job(desk):
    upload_id = desk.bring([ANN])
    ended(desk, upload_id, SUCCESS)
    run = ended(desk, upload_id, job="send_invitations", **{"cvms/purpose": "messages"})
    desk.site.clock.forward(seconds=10)

    (request,) = desk.sensor("lost_runs").run_requests

    assert request.job_name == "send_invitations"
    assert request.run_key == f"{upload_id}:{run.run_id}"
    assert reported(desk, run) is None


def test_a_failure_says_in_its_metadata_whether_a_later_run_may_succeed():
    with (
        pytest.raises(dg.Failure) as caught,
        failures.op_errors(recovery.MAX_STEP_RETRIES),
    ):
        raise errors.TransientError("The disk is full.")

    assert recovery.TRANSIENT_FAILURE in caught.value.metadata


def test_an_upload_whose_run_a_person_has_canceled_is_failed(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, dg.DagsterRunStatus.CANCELED)

    assert requested_again(desk) == []

    assert desk.site.upload(upload_id).status == "failed"
    assert desk.run(upload_id).success
    assert desk.site.upload(upload_id).status == "completed"


def test_a_finished_upload_stays_finished_if_a_run_of_it_is_canceled(desk):
    upload_id = desk.bring([ANN])
    assert desk.run(upload_id).success
    ended(desk, upload_id, dg.DagsterRunStatus.CANCELED)

    assert requested_again(desk) == []

    assert desk.site.upload(upload_id).status == "completed"


def test_a_run_that_was_lost_in_the_future_is_requested_again_at_once(desk):
    upload_id = desk.receive([ANN])
    run = ended(desk, upload_id)

    # The clock is set back; the last five seconds may be the clock of another machine.
    found = requested_again(desk, days=-2)

    assert found == [(upload_id, f"{upload_id}:{run.run_id}")]


def test_failures_are_recorded_after_the_clock_was_set_back(desk, monkeypatch):
    two_days = dt.timedelta(days=2)
    ahead = (desk.site.clock() + two_days).isoformat()
    cursor = desk.sensor("failed_runs", cursor=ahead).cursor
    result = failed(desk, desk.receive([ANN]), monkeypatch, PERMANENT[0])
    desk.site.clock.forward(seconds=6)

    desk.sensor("failed_runs", cursor=cursor)

    alerts = "SELECT details ->> 'run' FROM cvms.messages WHERE kind = 'alert'"
    assert desk.site.column(alerts) == [result.run_id]
