"""Notices when the internals of Dagster, Celery and kombu that we touch change."""

import contextlib
import inspect
import types

import billiard.pool
import dagster as dg
import dagster_celery.tasks
import pytest
from dagster._cli.api import _execute_run_command_body, _resume_run_command_body
from dagster._core.launcher import WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.run_coordinator import queued_run_coordinator
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.runs.base import RunStorage
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.base import ScheduleStorage
from dagster._daemon import controller, sensor
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import pack_value
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from cvms_pipeline import settings
from cvms_pipeline.defs import (
    coordinator,
    daemon,
    deaths,
    events,
    launcher,
    storage,
)
from cvms_pipeline.store import presence

URL = "postgresql://cvms@localhost/cvms"


@pytest.fixture(autouse=True)
def chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("CVMS_HOME", str(tmp_path))
    monkeypatch.setenv("CVMS_DATABASE_URL", URL)
    monkeypatch.setenv("CVMS_WORKERS", "4")
    return settings.load()


@pytest.fixture
def worker():
    from cvms_pipeline.defs import worker  # it reads the settings when imported

    return worker


@pytest.mark.parametrize("kind", [RunStorage, EventLogStorage, ScheduleStorage])
def test_storages_can_still_be_pooled_in_the_same_way(kind):
    parameters = inspect.signature(kind.optimize_for_webserver).parameters

    assert list(parameters) == [
        "self",
        "statement_timeout",
        "pool_recycle",
        "max_overflow",
    ]


@pytest.mark.parametrize("kind", [ExecuteRunArgs, ResumeRunArgs])
def test_a_task_of_dagster_celery_still_says_which_run_it_executes(worker, kind):
    repository = RepositoryPythonOrigin("python", code_pointer=_pointer())
    arguments = kind(
        job_origin=JobPythonOrigin("process_upload", repository),
        run_id="the-run",
        instance_ref=None,
        set_exit_code_on_failure=True,
    )

    assert worker.run_of(pack_value(arguments)) == "the-run"


def _pointer():
    from dagster._core.code_pointer import ModuleCodePointer

    return ModuleCodePointer("cvms_pipeline.definitions", "defs", ".")


def test_the_launcher_still_sends_the_argument_that_the_worker_takes(worker):
    source = inspect.getsource(CeleryRunLauncher)

    assert source.count("execute_job_args_packed=pack_value(args)") == 2
    for task in (worker.execute_job, worker.resume_job):
        assert list(inspect.signature(task.run).parameters) == [
            "execute_job_args_packed"
        ]


# The two that dagster-celery's own tasks call, too.
COMMANDS = [_execute_run_command_body, _resume_run_command_body]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_is_still_executed_by_the_same_call(command):
    assert list(inspect.signature(command).parameters) == [
        "run_id",
        "instance",
        "write_stream_fn",
        "set_exit_code_on_failure",
    ]
    assert f"{command.__name__}(" in inspect.getsource(dagster_celery.tasks)


def test_a_worker_says_to_the_event_log_that_it_works_on_a_run(
    worker, chosen, monkeypatch
):
    def execute(**given):
        during.append((given["run_id"], log._run is not None))
        return 0

    during: list[tuple[str, bool]] = []
    url = chosen.schema_url(storage.SCHEMA)
    log = events.EventLog(url, should_autocreate_tables=False)
    instance = types.SimpleNamespace(event_log_storage=log)
    monkeypatch.setattr(worker, "_instance", lambda: instance)
    monkeypatch.setattr(worker, "run_of", lambda packed: packed)
    monkeypatch.setattr(presence, "held", lambda *_: contextlib.nullcontext())

    assert worker._with_presence(execute, "the-run") == 0

    assert during == [("the-run", True)]
    assert log._run is None


def test_a_pool_still_tells_of_children_that_have_ended_and_a_worker_asks(worker):
    assert "on_process_down" in inspect.signature(billiard.pool.Pool).parameters
    assert deaths.EndsWithItsChildren in worker.app.steps["worker"]


def test_worker_and_launcher_agree_on_queue_broker_and_tasks(worker, chosen):
    started = launcher.WorkerRunLauncher.from_config_value(None, {})

    assert worker.app.conf.task_default_queue == started.default_queue
    assert worker.app.conf.broker_url == started.broker == chosen.celery_broker
    assert worker.app.conf.result_backend == started.backend
    assert {worker.execute_job.name, worker.resume_job.name} <= set(worker.app.tasks)
    assert launcher.DEFINITIONS in worker.app.conf.imports


def test_the_queue_still_takes_the_limits_that_follow_the_number_of_workers():
    made = coordinator.FairRunCoordinator.from_config_value(None, {})

    limits = made.get_run_queue_config()
    assert limits.max_concurrent_runs == 8
    assert limits.tag_concurrency_limits == coordinator.fair(4)
    assert isinstance(made, queued_run_coordinator.QueuedRunCoordinator)


def test_the_daemon_still_asks_the_queue_how_often_to_look_and_waits_that_long():
    source = inspect.getsource(controller)
    daemon_of_queue = controller.QueuedRunCoordinatorDaemon(0.5)

    assert "instance.run_coordinator.dequeue_interval_seconds" in source
    assert daemon_of_queue.interval_seconds == coordinator.LOOK_SECONDS


def test_the_daemon_still_looks_at_sensors_every_so_many_seconds(monkeypatch):
    assert sensor.MIN_INTERVAL_LOOP_TIME == 5
    source = inspect.getsource(sensor.execute_sensor_iteration_loop)
    assert "MIN_INTERVAL_LOOP_TIME - loop_duration" in source
    monkeypatch.setattr(sensor, "MIN_INTERVAL_LOOP_TIME", 5)
    monkeypatch.setattr(daemon.cli, "main", lambda: None)

    daemon.main()

    assert sensor.MIN_INTERVAL_LOOP_TIME == daemon.LOOK_SECONDS


STORAGES = [PostgresRunStorage, PostgresEventLogStorage, PostgresScheduleStorage]


@pytest.mark.parametrize("question", storage.LASTING)
def test_dagster_still_asks_what_is_remembered(question):
    assert any(hasattr(kind, question) for kind in STORAGES)


def test_snapshots_are_still_named_by_what_is_in_them():
    source = inspect.getsource(SqlRunStorage.add_execution_plan_snapshot)

    assert "create_execution_plan_snapshot_id(execution_plan_snapshot)" in source
    assert not [name for name in dir(RunStorage) if "delete" in name and "snap" in name]


def test_only_what_went_wrong_is_kept_as_a_result_of_a_task(worker):
    for task in (worker.execute_job, worker.resume_job):
        assert task.ignore_result
        assert task.store_errors_even_if_ignored
    started = launcher.WorkerRunLauncher.from_config_value(None, {})
    for made in (create_execute_job_task, create_resume_job_task):
        assert made(started.celery).ignore_result


def test_what_dagster_yaml_says_goes_before_the_number_of_workers():
    made = coordinator.FairRunCoordinator.from_config_value(
        None, {"max_concurrent_runs": 9}
    )

    assert made.get_run_queue_config().max_concurrent_runs == 9


# Whether the lock is held, and what is true.
HEALTH = [(True, WorkerStatus.RUNNING), (False, WorkerStatus.FAILED)]


@pytest.mark.parametrize(("is_held", "true"), HEALTH)
def test_a_started_run_whose_lock_is_free_has_lost_its_worker(
    monkeypatch, is_held, true
):
    monkeypatch.setattr(launcher, "_is_worked_on", lambda run_id: is_held)
    started = launcher.WorkerRunLauncher.from_config_value(None, {})

    health = started.check_run_worker_health(dg.DagsterRun(job_name="process_upload"))

    assert health.status is true
