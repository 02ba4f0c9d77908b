"""What is started at a time of day: the job `retention`, every night."""

import dagster as dg

from cvms_pipeline.defs import retention


def build_schedules(timezone: str) -> list[dg.ScheduleDefinition]:
    """Return the schedules; `timezone` is the name of the zone of their times."""
    return [
        dg.ScheduleDefinition(
            name="nightly_retention",
            job=retention.apply_retention,
            cron_schedule="30 3 * * *",
            execution_timezone=timezone,
            run_config={"dry_run": False},
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Removes what finished long ago, at half past three.",
        )
    ]
