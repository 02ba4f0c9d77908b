"""What happens by the clock: retention, every night."""

import dagster as dg

from cvms_pipeline import settings
from cvms_pipeline.defs import retention

nightly_retention = dg.ScheduleDefinition(
    name="nightly_retention",
    job=retention.retention,
    cron_schedule="30 3 * * *",
    execution_timezone=settings.load().timezone.key,
    run_config={"dry_run": False},
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes what has finished long ago, at half past three in the night.",
)

ALL = [nightly_retention]
