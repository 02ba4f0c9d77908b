"""The one module that Dagster loads: `defs`, and `build_defs` for other overrides.

Assets, jobs, sensors and schedules are in `cvms_pipeline.defs`; here they are only put
together.  The settings are read when Dagster calls `defs`, not when it imports this.
"""

import dataclasses

import dagster as dg

from cvms_pipeline import bootstrap
from cvms_pipeline.defs import assets, checks, jobs, resources, schedules, sensors
from cvms_pipeline.maintenance import retention
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import pipelines


def build_defs(
    *,
    pipeline: pipelines.Pipeline | None = None,
    limits: retention.Limits | None = None,
    timezone: str | None = None,
    executor: dg.ExecutorDefinition = dg.in_process_executor,
) -> dg.Definitions:
    """Return the project's definitions; the settings give what is not passed.

    Args:
        pipeline: The pipeline that every step and sensor uses.
        limits: How much the job `retention` keeps.
        timezone: The name of the time zone of the schedules.
        executor: How a run executes its steps.
    """
    chosen = loading.load()
    opened = pipeline or resources.PipelineResource()
    kept = dataclasses.asdict(limits or bootstrap.get_retention_limits(chosen))
    return dg.Definitions(
        assets=assets.build_assets(),
        asset_checks=[checks.check_todays_uploads],
        jobs=jobs.ALL,
        schedules=schedules.build_schedules(timezone or chosen.processing.timezone.key),
        sensors=sensors.ALL,
        resources={
            "pipeline": opened,
            "sheets": resources.SheetsInWorkFolder(pipeline=opened),
            "limits": resources.LimitsResource(**kept),
        },
        executor=executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of this installation."""
    return build_defs()
