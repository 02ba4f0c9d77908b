"""Runs that failed for no fault of their upload: followed by one run, not forgotten."""

import dagster as dg
import pytest
from installations import ANN

from cvms_pipeline import errors
from cvms_pipeline.defs import failures, lost
from cvms_pipeline.ingest import judge

FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def ended(desk, upload_id, status=FAILURE, job="process_upload", **tags):
    """Leave a run behind as Dagster does when its worker has died."""
    named = {"dagster/partition": upload_id, "cvms/provider": "mercy", **tags}
    run = dg.DagsterRun(job_name=job, status=status, tags=named)
    desk.instance.add_run(run)
    return run


def asked_again(desk, **ahead):
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
        patch.setattr(judge, "validate_rows", fail)
        return desk.run(upload_id)


def told(desk, run):
    """Return which run data-ops are told of as this one has failed."""
    return lost.to_be_told(desk.instance, run)


def test_a_run_whose_worker_has_died_is_followed_by_one_run(desk):
    upload_id = desk.receive([ANN])
    run = ended(desk, upload_id)

    first, second = asked_again(desk), asked_again(desk)

    assert first == second == [(upload_id, f"{upload_id}:{run.run_id}")]


def test_it_keeps_its_place_in_the_queue(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, **{"dagster/priority": "10"})
    desk.site.clock.forward(seconds=10)

    (request,) = desk.sensor("lost_runs").run_requests

    assert request.tags["cvms/provider"] == "mercy"
    assert request.tags["dagster/priority"] == "10"


def test_a_run_that_dagster_will_try_again_is_left_to_it_for_a_while(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, **{"dagster/will_retry": "true"})

    assert asked_again(desk, seconds=20) == []
    assert len(asked_again(desk, seconds=20)) == 1


def test_a_run_that_another_has_followed_is_left_alone(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id)
    ended(desk, upload_id, SUCCESS)

    assert asked_again(desk) == []


def test_an_upload_that_was_decided_before_its_run_was_lost_is_finished(desk):
    upload_id = desk.bring([ANN])
    run = ended(desk, upload_id)

    assert asked_again(desk) == [(upload_id, f"{upload_id}:{run.run_id}")]


def test_the_wait_grows_with_every_run_that_is_lost(desk):
    upload_id = desk.receive([ANN])
    for _ in range(8):
        ended(desk, upload_id)

    assert asked_again(desk, minutes=2) == []
    assert len(asked_again(desk, minutes=9)) == 1


def test_a_dependency_that_was_away_for_long_is_tried_again(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    away = errors.TransientError("The disk is full.")

    result = failed(desk, upload_id, monkeypatch, away)

    assert not result.success
    assert asked_again(desk) == [(upload_id, f"{upload_id}:{result.run_id}")]


# What will fail again until somebody mends it.
FOR_GOOD = [errors.PermanentError("A rule is broken."), KeyError("a bug")]


@pytest.mark.parametrize("error", FOR_GOOD, ids=["permanent", "bug"])
def test_what_fails_for_good_is_left_to_people_who_are_told(desk, monkeypatch, error):
    upload_id = desk.receive([ANN])

    result = failed(desk, upload_id, monkeypatch, error)

    assert asked_again(desk) == []
    run = desk.instance.get_run_by_id(result.run_id)
    assert told(desk, run) == result.run_id


def test_people_are_told_of_a_run_that_is_lost_too_often_and_once(desk):
    upload_id = desk.receive([ANN])

    runs = [ended(desk, upload_id) for _ in range(lost.QUIETLY)]
    quietly = told(desk, runs[-1])
    runs += [ended(desk, upload_id) for _ in range(2)]

    assert quietly is None
    assert {told(desk, run) for run in runs} == {runs[lost.QUIETLY].run_id}


def test_a_run_that_carried_messages_is_followed_by_another_of_its_job(desk):
    upload_id = desk.bring([ANN])
    ended(desk, upload_id, SUCCESS)
    run = ended(desk, upload_id, job="send_invitations", **{"cvms/purpose": "messages"})
    desk.site.clock.forward(seconds=10)

    (request,) = desk.sensor("lost_runs").run_requests

    assert request.job_name == "send_invitations"
    assert request.run_key == f"{upload_id}:{run.run_id}"
    assert told(desk, run) is None


def test_a_failure_says_in_its_metadata_whether_a_later_run_may_succeed():
    with (
        pytest.raises(dg.Failure) as caught,
        failures.told_to_dagster(failures.MOST_RETRIES),
    ):
        raise errors.TransientError("The disk is full.")

    assert failures.TRANSIENT in caught.value.metadata


def test_an_upload_whose_run_a_person_has_stopped_stands_as_failed(desk):
    upload_id = desk.receive([ANN])
    ended(desk, upload_id, dg.DagsterRunStatus.CANCELED)

    assert asked_again(desk) == []

    assert desk.site.upload(upload_id).status == "failed"
    assert desk.run(upload_id).success
    assert desk.site.upload(upload_id).status == "completed"


def test_a_finished_upload_stays_so_if_a_run_of_it_is_stopped(desk):
    upload_id = desk.bring([ANN])
    assert desk.run(upload_id).success
    ended(desk, upload_id, dg.DagsterRunStatus.CANCELED)

    assert asked_again(desk) == []

    assert desk.site.upload(upload_id).status == "completed"
