"""A Celery worker that executes Dagster runs.

`python -m cvms_pipeline.run_engine.worker` imports the definitions once and then
forks; each child keeps its Dagster instance and its connections from run to run, and
holds a lock by which others see that a run is worked on.  Otherwise it is
dagster-celery's worker.  Importing this module has no effect.
"""

import functools
import gc
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

import celery
import celery.signals
import dagster as dg
import pyarrow
from dagster._cli.api import _execute_run_command_body, _resume_run_command_body
from dagster_celery import make_app
from dagster_celery.config import TASK_EXECUTE_JOB_NAME, TASK_RESUME_JOB_NAME

from cvms_pipeline.database import worker_locks
from cvms_pipeline.run_engine import database_broker, launcher
from cvms_pipeline.settings import loading

_COMMANDS: dict[str, Callable[..., int]] = {
    TASK_EXECUTE_JOB_NAME: _execute_run_command_body,
    TASK_RESUME_JOB_NAME: _resume_run_command_body,
}
"""The functions that dagster-celery's own tasks call."""

_NICENESS = 5
"""Where processors are short, pages and pick-up go first, then the runs of files."""

_POOL = f"{database_broker.__name__}:{database_broker.TaskPool.__name__}"
_OPTIONS = (
    # A waiting run goes to a child that is free, and to no busy one.
    "--optimization=fair",
    # Nothing reads the events of workers.
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=warning",
)


def build_app(chosen: loading.Settings) -> celery.Celery:
    """Return the Celery application that executes the tasks of `launcher`."""
    arguments = launcher.make_celery_arguments(chosen)
    del arguments["default_queue"]  # an argument of the launcher only
    app = make_app.make_app(app_args=arguments)
    app.conf.worker_pool = _POOL
    for name, command in _COMMANDS.items():
        # Not shared with every other Celery application of this process.
        app.task(_make_task(command), name=name, track_started=True, shared=False)
    return app


def main(options: list[str]) -> None:
    """Run a worker until it is stopped.

    Args:
        options: Further options of `celery worker`, for example `--concurrency=3`.
    """
    # A core dump would contain every row that was in memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)
    database_broker.register_transport()
    celery.signals.worker_process_init.connect(_prepare_child)
    build_app(loading.load()).worker_main(["worker", *_OPTIONS, *options])


def _make_task(command: Callable[..., int]) -> Callable[..., int]:
    """Return the task that executes a run by a command of Dagster's."""

    def execute(execute_job_args_packed: Any) -> int:
        # Celery has already read the JSON that Dagster reads.
        arguments: Any = dg.deserialize_value(json.dumps(execute_job_args_packed))
        store = launcher.open_store_in_process(os.getpid())
        with worker_locks.hold(store, arguments.run_id):
            return command(
                instance=_instance(),
                run_id=arguments.run_id,
                # Each event has been stored already.
                write_stream_fn=lambda _event: None,
                set_exit_code_on_failure=True,
            )

    return execute


def _prepare_child(**_: Any) -> None:
    """Prepare a child for many runs, before its first."""
    # Arrow's own allocator keeps freed memory for each thread: up to 30 MB more.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    gc.freeze()  # else a collection reads all libraries, for a fifth of a second


@functools.cache
def _instance() -> dg.DagsterInstance:
    """Return the child's Dagster instance, opened at its first run."""
    return dg.DagsterInstance.get()


if __name__ == "__main__":
    main(sys.argv[1:])
