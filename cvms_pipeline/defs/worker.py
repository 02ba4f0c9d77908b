"""The Celery application of a worker: `celery -A cvms_pipeline.defs.worker worker`.

A worker imports everything once and then forks; each child keeps its connections
from run to run.  The names of Dagster that this touches are the ones that
dagster-celery uses for the same; `test_defs_internals.py` notices a change.
"""

import functools
import gc
import resource
from typing import Any

import celery.signals
import dagster as dg
from dagster._cli.api import _execute_run_command_body, _resume_run_command_body
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME, TASK_RESUME_JOB_NAME
from dagster_celery.make_app import make_app

from cvms_pipeline import settings
from cvms_pipeline.defs import broker, deaths, events, launcher
from cvms_pipeline.store import engine, presence


def _application() -> Any:
    arguments = launcher.celery_arguments(settings.load())
    arguments.pop("default_queue")
    return make_app(app_args=arguments)


# Also where `cvms up` does not start it: a core has every row that was in memory.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
broker.look_often_and_cheaply()
app = _application()
app.steps["worker"].add(deaths.EndsWithItsChildren)


@celery.signals.worker_process_init.connect
def _leave_what_is_imported(**_: Any) -> None:
    """Let a child's garbage collector pass by the libraries, a fifth of a second."""
    gc.freeze()


@app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)
def execute_job(execute_job_args_packed: Any) -> int:
    """Execute the run that a launcher has asked for."""
    return _with_presence(_execute_run_command_body, execute_job_args_packed)


@app.task(name=TASK_RESUME_JOB_NAME, track_started=True)
def resume_job(execute_job_args_packed: Any) -> int:
    """Go on with a run whose worker has died."""
    return _with_presence(_resume_run_command_body, execute_job_args_packed)


def run_of(packed: Any) -> str:
    """Return the id of the run that a task's packed arguments name."""
    unpacked = unpack_value(packed)
    assert isinstance(unpacked, ExecuteRunArgs | ResumeRunArgs)  # noqa: S101  # Dagster's
    return unpacked.run_id


def _with_presence(execute: Any, packed: Any) -> int:
    """Work on a run while holding its lock, which tells that it is worked on."""
    run_id = run_of(packed)
    instance = _instance()
    with presence.held(_store(), run_id), _log_of(instance).within_a_run():
        return int(
            execute(
                instance=instance,
                run_id=run_id,
                write_stream_fn=_ignore,
                set_exit_code_on_failure=True,
            )
        )


@functools.cache
def _store() -> engine.Store:
    """Return the child's store, opened at its first run."""
    return engine.Store(settings.load().store_url, pool_size=1)


@functools.cache
def _instance() -> dg.DagsterInstance:
    """Return the child's Dagster instance, opened at its first run."""
    return dg.DagsterInstance.get()


def _log_of(instance: dg.DagsterInstance) -> events.EventLog:
    """Return the event log that dagster.yaml names."""
    log = instance.event_log_storage
    assert isinstance(log, events.EventLog)  # noqa: S101  # ours, by `storage`
    return log


def _ignore(_event: Any) -> None:
    """Leave an event alone: it has been stored by then."""
