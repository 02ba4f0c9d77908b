"""The same assets as Dagster runs them by default: `dagster dev -m benchmarks.stock`.

A process for each run and another for each op, a sensor that looks every 30 seconds
and waits for nothing, SQLite for Dagster's own records.  What is compared to it is
`orchestration`.
"""

import dagster as dg

from cvms_pipeline.defs import assets, checks, jobs, resources, sensors
from cvms_pipeline.use_cases import pipelines, receive


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
    return sensors.request_runs(awaiting, context.log)


_pipeline = resources.PipelineResource()

defs = dg.Definitions(
    assets=assets.build_assets(),
    asset_checks=[checks.check_todays_uploads],
    jobs=jobs.UPLOAD_JOBS,
    sensors=[incoming_uploads],
    resources={
        "pipeline": _pipeline,
        "sheets": resources.SheetsInWorkFolder(pipeline=_pipeline),
    },
)
