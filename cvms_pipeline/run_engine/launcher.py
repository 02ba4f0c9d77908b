"""How a run is started, as a task for a warm Celery worker, and monitored there.

The worker's side of it is `worker`.
"""

import functools
import os
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery import launcher as celery_launcher

from cvms_pipeline.database import engine, worker_locks
from cvms_pipeline.settings import loading

_QUEUE = "dagster"
_TASK_TAG = ".dagster/celery_task_id"
"""The UI hides tags that begin like this one: nobody needs the id of a task."""


_PUBLISH_RETRIES = {
    "max_retries": 20,  # for half a minute in all
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 2,
}
"""How often a task is sent again while the broker is restarted."""


class WorkerRunLauncher(celery_launcher.CeleryRunLauncher):
    """dagster-celery's launcher on the broker that the settings name.

    Celery does not notice that a whole worker has ended: its task stays `STARTED`
    permanently; and if the daemon dies as it launches a run, nobody knows the id of the
    task.  A worker therefore holds a lock in Postgres while it works on a run, and a
    started run whose lock is free is one whose worker has died.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return that nothing is configured in dagster.yaml."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """Build the launcher from the settings."""
        celery_launcher.DAGSTER_CELERY_TASK_ID_TAG = _TASK_TAG  # type: ignore[attr-defined]  # imported there: docs/decisions/0018
        return cls(**make_celery_arguments(loading.load()), inst_data=inst_data)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether a worker works on the run, which has been started."""
        if worker_locks.is_held(open_store_in_process(os.getpid()), run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "The worker has died.")

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """Return nothing more: Celery may not know the run's task."""
        return None


def make_celery_arguments(chosen: loading.Settings) -> dict[str, Any]:
    """Return the arguments that are the same for the launcher and the worker."""
    return {
        "default_queue": _QUEUE,
        "broker": chosen.urls.broker,
        "backend": chosen.urls.result_backend,
        "config_source": {
            "broker_connection_retry_on_startup": True,
            "broker_transport_options": _make_transport_options(chosen),
            # Imported by a worker before it forks, so that every run starts warm.
            "imports": ["cvms_pipeline.definitions"],
            "result_expires": 24 * 3600,
            # Else a busy worker takes one run more than it can begin.
            "task_acks_late": True,
            "task_default_queue": _QUEUE,
            # Dagster's tables record the result of a run; Celery records only faults.
            "task_ignore_result": True,
            "task_publish_retry_policy": _PUBLISH_RETRIES,
            "task_store_errors_even_if_ignored": True,
            "worker_enable_remote_control": False,
            "worker_hijack_root_logger": False,
            "worker_prefetch_multiplier": 1,
            "worker_redirect_stdouts": False,
        },
    }


def _make_transport_options(chosen: loading.Settings) -> dict[str, Any]:
    """Return what kombu does otherwise where the broker is a database.

    It tests a connection before use. Without that, the first run after a restart of
    Postgres fails.
    """
    is_database = chosen.urls.broker.startswith("sqla+")
    return {"pool_pre_ping": True} if is_database else {}


@functools.cache
def open_store_in_process(pid: int) -> engine.Store:
    """Return the process's store; its connection stays open, but not over a fork."""
    return engine.Store(loading.load().urls.store, pool_size=1)
