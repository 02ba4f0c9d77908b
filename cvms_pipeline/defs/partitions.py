"""One partition for each upload, and what the tags of a run say about it.

The key of a partition is the id of the upload.  Here are its definition, that of the
days of the overview, the tags of runs (provider, lane, purpose, priority) and the
states in which a run is unfinished.
"""

import dagster as dg

from cvms_pipeline.domain.vocabulary import upload

NAME = "uploads"
UPLOADS = dg.DynamicPartitionsDefinition(name=NAME)
DAYS = dg.DynamicPartitionsDefinition(name="days")

PROVIDER_TAG = "cvms/provider"
LANE_TAG = "cvms/lane"
PURPOSE_TAG = "cvms/purpose"
MESSAGES = "messages"
PRIORITY_TAG = "dagster/priority"
PARTITION_TAG = "dagster/partition"

MESSAGE_RUN_TAGS = {PURPOSE_TAG: MESSAGES, PRIORITY_TAG: "-10"}
"""Of a run that only sends messages: it begins after the uploads that wait."""

UNFINISHED_STATUSES = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_PRIORITIES = {upload.Lane.LOW_VOLUME: "10", upload.Lane.HIGH_VOLUME: "0"}


def make_run_tags(provider: str | None, lane: upload.Lane) -> dict[str, str]:
    """Return the tags of an upload's runs, with their priority in the queue."""
    return {
        PROVIDER_TAG: provider or "unknown",
        LANE_TAG: lane.value,
        PRIORITY_TAG: _PRIORITIES[lane],
    }


def get_upload_id(run: dg.DagsterRun) -> str | None:
    """Return the id of the upload that a run is about, or None if it is about none."""
    return run.tags.get(PARTITION_TAG)


def is_message_run(run: dg.DagsterRun) -> bool:
    """Return whether a run only sends messages."""
    return run.tags.get(PURPOSE_TAG) == MESSAGES
