"""One partition per upload; its key is the upload's id (DESIGN 2).

Only the partitions' definition and the tags that say whose an upload is.
"""

import dagster as dg

from cvms_pipeline.domain import upload

UPLOADS = dg.DynamicPartitionsDefinition(name="uploads")

PROVIDER_TAG = "cvms/provider"
LANE_TAG = "cvms/lane"
PURPOSE_TAG = "cvms/purpose"
MESSAGES = "messages"
PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"

_PRIORITIES = {upload.Lane.LOW_VOLUME: 10, upload.Lane.HIGH_VOLUME: 0}
INVITATION_PRIORITY = -10


def tags_of(provider: str | None, lane: upload.Lane) -> dict[str, str]:
    """Return the run tags of an upload: whose it is, and how soon its turn comes."""
    return {
        PROVIDER_TAG: provider or "unknown",
        LANE_TAG: lane.value,
        PRIORITY_TAG: str(_PRIORITIES[lane]),
    }
