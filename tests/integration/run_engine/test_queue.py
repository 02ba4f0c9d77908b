"""The queue of runs: who is next, and how soon Dagster's daemon looks into it."""

import itertools
import logging

import dagster as dg
import pytest
from dagster._core import remote_origin
from dagster._core.run_coordinator import SubmitRunContext
from dagster._daemon import controller
from dagster._daemon import sensor as theirs

from cvms_pipeline.defs import partitions
from cvms_pipeline.run_engine import coordinator, daemon


def configured(**more):
    """Return the limits of the coordinator that Dagster makes from dagster.yaml."""
    made = coordinator.FairRunCoordinator.from_config_value(None, more)
    return made.get_run_queue_config()


@pytest.mark.parametrize(("workers", "for_one"), [(1, 1), (2, 1), (8, 7)])
def test_no_provider_occupies_all_workers(home, monkeypatch, workers, for_one):
    monkeypatch.setenv("CVMS_WORKERS", str(workers))

    of_provider, of_messages = configured().tag_concurrency_limits

    assert of_provider["key"] == partitions.PROVIDER_TAG
    assert of_provider["value"] == {"applyLimitPerUniqueValue": True}
    assert of_provider["limit"] == for_one
    assert of_messages["limit"] == 1


def test_dagster_yaml_overrides_the_limit_by_the_number_of_workers(home):
    assert configured(max_concurrent_runs=9).max_concurrent_runs == 9


def test_the_daemon_reads_the_queue_twice_a_second(instance):
    kind = controller.QueuedRunCoordinatorDaemon.daemon_type()

    made = controller.create_daemon_of_type(kind, instance)

    assert made.interval_seconds == coordinator._DEQUEUE_SECONDS


LOCATION = remote_origin.RegisteredCodeLocationOrigin("cvms_pipeline")
ORIGIN = remote_origin.RemoteJobOrigin(
    remote_origin.RemoteRepositoryOrigin(LOCATION, "__repository__"), "process_upload"
)


class Launched:
    """What a launcher would have started; it starts nothing."""

    def __init__(self, instance, monkeypatch) -> None:
        self.run_ids: list[str] = []
        monkeypatch.setattr(instance, "launch_run", self._launch)
        self._instance = instance

    def _launch(self, run_id, _workspace):
        self.run_ids.append(run_id)
        return self._instance.get_run_by_id(run_id)


@pytest.fixture
def submit(instance, monkeypatch):
    """Submits a run; returns whether it was launched at once, and its status."""
    launched = Launched(instance, monkeypatch)

    def submit_run() -> tuple[bool, dg.DagsterRunStatus]:
        run = dg.DagsterRun(job_name="process_upload", remote_job_origin=ORIGIN)
        instance.add_run(run)
        context = SubmitRunContext(run, workspace=None)
        after = instance.run_coordinator.submit_run(context)
        return run.run_id in launched.run_ids, after.status

    return submit_run


def test_a_run_begins_at_once_where_no_other_is_unfinished(submit):
    assert submit() == (True, dg.DagsterRunStatus.NOT_STARTED)


def test_a_run_is_queued_where_another_is_unfinished(submit):
    submit()

    assert submit() == (False, dg.DagsterRunStatus.QUEUED)


class Clock:
    """How long the daemon was asked to wait; it does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def test_the_daemon_starts_the_next_tick_of_a_sensor_within_half_a_second(monkeypatch):
    monkeypatch.setattr(theirs, "MIN_INTERVAL_LOOP_TIME", 5)
    monkeypatch.setattr(theirs, "execute_sensor_iteration", lambda *_, **__: iter(()))
    monkeypatch.setattr(daemon.cli, "main", lambda: None)
    clock = Clock()

    daemon.main()
    loop = theirs.execute_sensor_iteration_loop(None, logging.getLogger(), clock)
    list(itertools.islice(loop, 7))

    assert len(clock.waits) == 2
    assert 0 < max(clock.waits) <= daemon._SENSOR_PAUSE_SECONDS
