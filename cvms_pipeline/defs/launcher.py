"""How a run is started: as a task for a warm Celery worker, and watched there.

The worker's side of it is `worker`.
"""

import functools
import os
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher

from cvms_pipeline import settings
from cvms_pipeline.store import engine, presence

QUEUE = "dagster"
DEFINITIONS = "cvms_pipeline.definitions"
"""Imported by a worker before it forks, so that every run starts warm."""


class WorkerRunLauncher(CeleryRunLauncher):
    """dagster-celery's launcher on the broker that the settings name.

    Celery cannot tell that a whole worker has gone: its task stays `STARTED` for
    good; and if the daemon dies as it launches a run, nobody knows the task's name.
    A worker therefore holds a lock in Postgres while it works on a run, and a
    started run whose lock is free is one whose worker has died.
    """

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return that nothing is configured in dagster.yaml."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Build the launcher from the settings."""
        return cls(**celery_arguments(settings.load()), inst_data=inst_data)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the run, which has been started, is being worked on."""
        if _is_worked_on(run.run_id):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "The worker has died.")

    def get_run_worker_debug_info(
        self, run: dg.DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """Return nothing more: Celery may not know the run's task."""
        return None


def celery_arguments(chosen: settings.Settings) -> dict[str, Any]:
    """Return what the launcher and the worker must agree on."""
    return {
        "default_queue": QUEUE,
        "broker": chosen.celery_broker,
        "backend": chosen.celery_backend,
        "config_source": {
            "broker_connection_retry_on_startup": True,
            "imports": [DEFINITIONS],
            "result_expires": 24 * 3600,
            # Else a busy worker takes one run more than it can begin.
            "task_acks_late": True,
            "task_default_queue": QUEUE,
            # Dagster's tables say what became of a run; Celery, only of a fault.
            "task_ignore_result": True,
            "task_store_errors_even_if_ignored": True,
            "worker_enable_remote_control": False,
            "worker_hijack_root_logger": False,
            "worker_prefetch_multiplier": 1,
            "worker_redirect_stdouts": False,
        },
    }


def _is_worked_on(run_id: str) -> bool:
    return presence.is_held(_store_in_process(os.getpid()), run_id)


@functools.cache
def _store_in_process(pid: int) -> engine.Store:
    """Return the process's store; its connection outlives a look, but no fork."""
    return engine.Store(settings.load().store_url, pool_size=1)
