"""The one module that Dagster loads: `defs`, and `build_defs` to assemble others.

Nothing is decided here; what belongs to which subject is in `cvms_pipeline.defs`.
"""

from typing import Any

import dagster as dg

from cvms_pipeline.defs import (
    assets,
    checks,
    jobs,
    resources,
    retention,
    schedules,
    sensors,
)


def build_defs(**overrides: Any) -> dg.Definitions:
    """Return the project's definitions, with `overrides` for single resources.

    Args:
        **overrides: Resources by key (`pipeline`, `sheets`), in place of ours;
            so a test swaps one without patching.
    """
    return dg.Definitions(
        assets=assets.ALL,
        asset_checks=checks.ALL,
        jobs=[*jobs.OF_UPLOADS, jobs.send_alerts, retention.retention],
        schedules=schedules.ALL,
        sensors=sensors.ALL,
        resources={**resources.from_settings(), **overrides},
        executor=dg.in_process_executor,
    )


defs = build_defs()
