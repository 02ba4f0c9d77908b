"""A worker: what it is told to execute, under which lock, and how it ends."""

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import celery
import celery.concurrency
import dagster as dg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import pack_value

from cvms_pipeline.database import worker_locks
from cvms_pipeline.run_engine import database_broker, launcher, worker

TASKS = {"execute_job": ExecuteRunArgs, "resume_job": ResumeRunArgs}


@pytest.fixture
def app(chosen) -> Iterator[celery.Celery]:
    _forget()
    yield worker.build_app(chosen)
    _forget()


def _forget() -> None:
    launcher.open_store_in_process(os.getpid()).close()
    for kept in (launcher.open_store_in_process, worker._instance):
        kept.cache_clear()


@pytest.fixture
def at_dagster(home):
    """The launcher, as Dagster makes it from dagster.yaml."""
    made = launcher.WorkerRunLauncher.from_config_value(None, {})
    yield made
    _forget()


def packed(kind) -> object:
    """Return what dagster-celery's launcher sends, as it arrives at a worker."""
    pointer = ModuleCodePointer("cvms_pipeline.definitions", "defs", ".")
    repository = RepositoryPythonOrigin("python", code_pointer=pointer)
    arguments = kind(
        job_origin=JobPythonOrigin("process_upload", repository),
        run_id="the-run",
        instance_ref=None,
        set_exit_code_on_failure=True,
    )
    return json.loads(json.dumps(pack_value(arguments)))


@pytest.fixture
def execute(instance, chosen, monkeypatch):
    """Lets a task call a command instead of Dagster's; returns what it returns."""

    def execute_by(name: str, command) -> int:
        _forget()
        monkeypatch.setitem(worker._COMMANDS, name, command)
        task = worker.build_app(chosen).tasks[name]
        return task(execute_job_args_packed=packed(TASKS[name]))

    yield execute_by
    _forget()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_holds_the_lock_of_its_run_as_long_as_it_works(execute, store, name):
    def command(*, run_id, **_) -> int:
        seen.append((run_id, worker_locks.is_held(store, run_id)))
        return 0

    seen: list[tuple[str, bool]] = []

    assert execute(name, command) == 0

    assert seen == [("the-run", True)]
    assert not worker_locks.is_held(store, "the-run")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_fails_releases_the_lock_of_its_run(execute, store, name):
    def command(**_) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        execute(name, command)

    assert not worker_locks.is_held(store, "the-run")


@pytest.mark.parametrize("name", TASKS)
def test_a_command_of_dagster_accepts_the_arguments_of_a_task(name):
    given = {"instance", "run_id", "write_stream_fn", "set_exit_code_on_failure"}

    inspect.signature(worker._COMMANDS[name]).bind(**dict.fromkeys(given))


def test_a_started_run_with_a_free_lock_has_lost_its_worker(at_dagster, store):
    run = dg.DagsterRun(job_name="process_upload")

    with worker_locks.hold(store, run.run_id):
        during = at_dagster.check_run_worker_health(run).status
    after = at_dagster.check_run_worker_health(run).status

    assert (during, after) == (WorkerStatus.RUNNING, WorkerStatus.FAILED)


def test_worker_and_launcher_agree_on_queue_broker_and_tasks(app, at_dagster, chosen):
    assert app.conf.task_default_queue == at_dagster.default_queue
    assert app.conf.broker_url == at_dagster.broker == chosen.urls.broker
    assert app.conf.result_backend == at_dagster.backend
    assert "cvms_pipeline.definitions" in app.conf.imports
    assert set(TASKS) <= set(app.tasks)


@pytest.mark.parametrize("name", TASKS)
def test_the_result_of_a_task_is_stored_only_if_it_fails(app, name):
    assert app.tasks[name].ignore_result
    assert app.tasks[name].store_errors_even_if_ignored


# What a worker changes of its process.
FACTS = """
import resource, kombu
from dagster._daemon import sensor
def facts():
    transport = kombu.Connection("sqla+sqlite://").transport
    cores = resource.getrlimit(resource.RLIMIT_CORE)
    return cores, transport.polling_interval, sensor.MIN_INTERVAL_LOOP_TIME
"""


def in_a_new_process(code: str, **environment: str) -> str:
    """Return what Python prints; warnings are errors there, too."""
    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_importing_the_worker_reads_no_setting_and_changes_nothing():
    code = f"""
{FACTS}
before = facts()
import cvms_pipeline.run_engine.worker, cvms_pipeline.run_engine.prepare
import cvms_pipeline.run_engine.daemon
print(facts() == before)
"""

    assert in_a_new_process(code, CVMS_WORKERS="none") == "True\n"


def test_a_worker_leaves_no_core_asks_often_and_gets_its_options(chosen):
    code = f"""
{FACTS}
import celery
from cvms_pipeline.run_engine import worker
celery.Celery.worker_main = lambda app, argv: print(argv[0], argv[-1])
worker.main(["--concurrency=3"])
cores, poll_seconds, *_ = facts()
print(cores, poll_seconds)
"""

    assert in_a_new_process(code).split("\n")[:2] == [
        "worker --concurrency=3",
        f"(0, 0) {database_broker._POLL_SECONDS}",
    ]


def test_a_worker_lets_pages_and_pick_up_go_first(chosen):
    code = f"""
{FACTS}
import celery
import os
from cvms_pipeline.run_engine import worker
celery.Celery.worker_main = lambda app, argv: None
before = os.nice(0)
worker.main([])
print(os.nice(0) - before)
"""

    assert int(in_a_new_process(code)) == worker._NICENESS > 0
