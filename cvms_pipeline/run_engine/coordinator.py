"""Which run begins next: Dagster's queue, fair between providers.

The order within the queue is by the runs' `dagster/priority` tag (`defs.partitions`);
here is only how many runs may be worked on at once, and how soon they begin.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster as dg

from cvms_pipeline.defs import partitions
from cvms_pipeline.settings import loading

_DEQUEUE_SECONDS = 0.5


class FairRunCoordinator(dg.QueuedRunCoordinator):
    """Dagster's queue with limits that follow the number of workers.

    A single provider has at most all workers but one, and invitations have one, so that
    slow mail delays no upload.  Each worker may have one more run waiting with the
    broker, so that it need not wait until the daemon reads the queue again.
    """

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        """Complete the configuration of dagster.yaml by the limits for our workers."""
        workers = loading.load().processing.workers
        of_provider = {
            "key": partitions.PROVIDER_TAG,
            "value": {"applyLimitPerUniqueValue": True},
            "limit": max(1, workers - 1),
        }
        of_messages = {
            "key": partitions.PURPOSE_TAG,
            "value": partitions.MESSAGES,
            "limit": 1,
        }
        limits = {
            "max_concurrent_runs": 2 * workers,
            "tag_concurrency_limits": [of_provider, of_messages],
        }
        return super().from_config_value(inst_data, {**limits, **config_value})

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster takes any number, and checks for whole ones in its configuration only
        """Return how often the daemon reads the queue."""
        return _DEQUEUE_SECONDS

    def submit_run(self, context: Any) -> dg.DagsterRun:
        """Queue a run; if no other run is unfinished, begin it at once."""
        run = context.dagster_run
        if not self._is_alone(run):
            return super().submit_run(context)
        launched = self._instance.launch_run(run.run_id, context.workspace)
        return self._instance.get_run_by_id(run.run_id) or launched

    def _is_alone(self, run: dg.DagsterRun) -> bool:
        if run.status != dg.DagsterRunStatus.NOT_STARTED:
            return False
        unfinished = self._instance.get_run_ids(
            filters=dg.RunsFilter(statuses=partitions.UNFINISHED_STATUSES), limit=2
        )
        return list(unfinished) == [run.run_id]
