"""The same assets as Dagster runs them by default: `dagster dev -m benchmarks.stock`.

A process for each run and another for each op, a sensor that looks every 30 seconds
and waits for nothing, SQLite for Dagster's own records.  What is compared to it is
`orchestration`.
"""

import dagster as dg

from cvms_pipeline.defs import assets, checks, decisions, jobs, resources
from cvms_pipeline.ingest import pipeline as pipelines
from cvms_pipeline.ingest import receive


@dg.sensor(
    job=jobs.process_upload, default_status=dg.DefaultSensorStatus.RUNNING
)  # at the default interval
def incoming_uploads(
    context: dg.SensorEvaluationContext,
    pipeline: dg.ResourceParam[pipelines.Pipeline],
) -> dg.SensorResult | dg.SkipReason:
    """Request a run for each file that is there."""
    awaiting = receive.wait_for_uploads(pipeline, seconds=0)
    if not awaiting:
        return dg.SkipReason("No file has settled.")
    return decisions.runs_for(awaiting)


defs = dg.Definitions(
    assets=assets.ALL,
    asset_checks=checks.ALL,
    jobs=jobs.OF_UPLOADS,
    sensors=[incoming_uploads],
    resources=resources.from_settings(),
)
