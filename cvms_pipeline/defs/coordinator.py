"""Who goes next: the queue of runs, fair between providers.

The order within the queue is by the runs' `dagster/priority` tag (`partitions`);
here is only how many may run at once.
"""

from collections.abc import Mapping
from typing import Any, Self

from dagster._core.run_coordinator import queued_run_coordinator
from dagster._serdes import ConfigurableClassData

from cvms_pipeline import settings
from cvms_pipeline.defs import partitions


class FairRunCoordinator(queued_run_coordinator.QueuedRunCoordinator):
    """Dagster's queue with limits that follow the number of workers.

    As many runs as there are workers, at most all but one of them for a single
    provider, and one for invitations, so that slow mail holds up no upload.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """Complete what dagster.yaml says with the limits for our workers."""
        workers = settings.load().workers
        limits = {
            "max_concurrent_runs": workers,
            "tag_concurrency_limits": fair(workers),
        }
        return super().from_config_value(inst_data, {**limits, **config_value})


def fair(workers: int) -> list[dict[str, Any]]:
    """Return Dagster's tag limits for a number of workers."""
    return [
        {
            "key": partitions.PROVIDER_TAG,
            "value": {"applyLimitPerUniqueValue": True},
            "limit": max(1, workers - 1),
        },
        {"key": partitions.PURPOSE_TAG, "value": "messages", "limit": 1},
    ]
