"""Who goes next: the queue of runs, fair between providers.

The order within the queue is by the runs' `dagster/priority` tag (`partitions`);
here is only how many may run at once, and how soon.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.run_coordinator import base, queued_run_coordinator
from dagster._serdes import ConfigurableClassData

from cvms_pipeline import settings
from cvms_pipeline.defs import partitions

LOOK_SECONDS = 0.5
"""How often the daemon looks into the queue; it knows no shorter time."""

UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class FairRunCoordinator(queued_run_coordinator.QueuedRunCoordinator):
    """Dagster's queue with limits that follow the number of workers.

    At most all workers but one are for a single provider, and one for invitations,
    so that slow mail holds up no upload.  Each worker may have one more run waiting
    with the broker, so that it need not wait for the daemon's next look.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Complete what dagster.yaml says with the limits for our workers."""
        workers = settings.load().workers
        limits = {
            "max_concurrent_runs": 2 * workers,
            "tag_concurrency_limits": fair(workers),
        }
        return super().from_config_value(inst_data, {**limits, **config_value})

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster takes any number, and checks for whole ones in its configuration only
        """Return how often the queue is looked into."""
        return LOOK_SECONDS

    def submit_run(self, context: base.SubmitRunContext) -> dg.DagsterRun:
        """Queue a run; where nothing else is to be done, begin it at once."""
        run = context.dagster_run
        if not self._is_alone(run):
            return super().submit_run(context)
        launched = self._instance.launch_run(run.run_id, context.workspace)
        return self._instance.get_run_by_id(run.run_id) or launched

    def _is_alone(self, run: dg.DagsterRun) -> bool:
        if run.status != dg.DagsterRunStatus.NOT_STARTED:
            return False
        unfinished = self._instance.get_run_ids(
            filters=dg.RunsFilter(statuses=UNFINISHED), limit=2
        )
        return list(unfinished) == [run.run_id]


def fair(workers: int) -> list[dict[str, Any]]:
    """Return Dagster's tag limits for a number of workers."""
    return [
        {
            "key": partitions.PROVIDER_TAG,
            "value": {"applyLimitPerUniqueValue": True},
            "limit": max(1, workers - 1),
        },
        {"key": partitions.PURPOSE_TAG, "value": partitions.MESSAGES, "limit": 1},
    ]
