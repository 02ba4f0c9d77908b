"""What Dagster's queue holds of whom, read as Dagster itself writes it."""

import logging

import dagster as dg
import pytest
from dagster._core import remote_origin
from installations import ANN

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.defs import sensors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.use_cases import receive

Status = dg.DagsterRunStatus
LONG = 10  # minutes after which a run that was asked for is overdue


@pytest.fixture(autouse=True)
def at_most_two_runs_wait(monkeypatch):
    monkeypatch.setattr(receive, "_MAX_QUEUED_RUNS", 2)


def submit(dagster, taken, status=Status.QUEUED):
    """Do what Dagster makes of the sensor's answer."""
    place = remote_origin.RegisteredCodeLocationOrigin("cvms_pipeline")
    repository = remote_origin.RemoteRepositoryOrigin(place, "__repository__")
    origin = remote_origin.RemoteJobOrigin(repository, "process_upload")
    for request in sensors.request_runs(taken, logging.getLogger("test")).run_requests:
        run = dg.DagsterRun(
            job_name="process_upload",
            status=status,
            tags={**request.tags, "dagster/partition": request.partition_key},
            remote_job_origin=origin,
        )
        dagster.instance.add_run(run)


def drop(dagster, *names, **where):
    for number, name in enumerate(names):
        row = ANN.replace("Ann", f"Ann{'abcdefgh'[number]}")
        dagster.site.drop([row], file_name=name, **where)


def taken_in(dagster):
    """Return the names of the files for which a run is asked."""
    taken = dagster.site.take_in()
    submit(dagster, taken)
    return [each.file_name for each in taken]


def test_a_full_queue_of_a_provider_s_lane_delays_only_that_lane(dagster):
    dagster.site.add_provider("duke")
    drop(dagster, "1.csv", "2.csv")
    assert len(taken_in(dagster)) == 2
    drop(dagster, "3.csv", "4.csv")
    drop(dagster, "high.csv", lane=upload.Lane.HIGH_VOLUME)
    drop(dagster, "late.csv", slug="duke")

    assert sorted(taken_in(dagster)) == ["high.csv", "late.csv"]


def test_a_run_that_was_held_back_is_requested_once_a_worker_has_another(dagster):
    drop(dagster, "1.csv", "2.csv")
    taken_in(dagster)
    drop(dagster, "3.csv")
    assert taken_in(dagster) == []
    begun = dagster.instance.get_runs()[0]
    dagster.instance.handle_new_event(started(begun))

    assert taken_in(dagster) == ["3.csv"]


def started(run):
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.RUN_STARTING.value, job_name=run.job_name
    )
    return dg.EventLogEntry(
        error_info=None,
        level="debug",
        user_message="",
        run_id=run.run_id,
        timestamp=0.0,
        job_name=run.job_name,
        dagster_event=event,
    )


def test_a_run_that_is_queued_for_long_is_not_requested_again(dagster):
    drop(dagster, "1.csv")
    taken_in(dagster)

    dagster.site.clock.forward(minutes=LONG)

    assert taken_in(dagster) == []


def test_a_run_that_was_created_and_never_queued_is_requested_again(dagster):
    drop(dagster, "1.csv")
    submit(dagster, dagster.site.take_in(), Status.NOT_STARTED)

    dagster.site.clock.forward(minutes=LONG)

    assert taken_in(dagster) == ["1.csv"]


def test_without_dagster_s_tables_no_run_is_queued(bare):
    with bare.begin() as conn:
        assert dagster_tables.find_queued_uploads(conn) == {}
