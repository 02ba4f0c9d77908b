"""The Celery application of a worker: `celery -A cvms_pipeline.defs.worker worker`.

A worker imports everything once and then forks, so that a run starts warm.  Only
what a worker process needs around a run is here; the run itself is Dagster's.
"""

from typing import Any

import celery.signals
import dagster_celery.tasks
import kombu.transport.sqlalchemy
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import unpack_value
from dagster_celery.make_app import make_app

from cvms_pipeline import settings
from cvms_pipeline.defs import launcher
from cvms_pipeline.store import engine, presence

POLL_SECONDS = 0.2

kombu.transport.sqlalchemy.Transport.polling_interval = POLL_SECONDS


def _application() -> Any:
    arguments = launcher.celery_arguments(settings.load())
    arguments.pop("default_queue")
    return make_app(app_args=arguments)


app = _application()
execute_job = dagster_celery.tasks.create_execute_job_task(app)
resume_job = dagster_celery.tasks.create_resume_job_task(app)

_held: dict[str, presence.Presence] = {}


@celery.signals.task_prerun.connect
def _take_run(task_id: str, kwargs: dict[str, Any], **_: Any) -> None:
    store = engine.Store(settings.load().store_url)
    _held[task_id] = presence.hold(store, run_of(kwargs))


@celery.signals.task_postrun.connect
def _leave_run(task_id: str, **_: Any) -> None:
    held = _held.pop(task_id, None)
    if held:
        held.release()


def run_of(task_arguments: dict[str, Any]) -> str:
    """Return the id of the run that a task of dagster-celery is to execute."""
    packed = unpack_value(task_arguments["execute_job_args_packed"])
    assert isinstance(packed, ExecuteRunArgs | ResumeRunArgs)  # noqa: S101  # Dagster's
    return packed.run_id
