"""The nightly schedule and the job's safe side."""

import datetime as dt
import zoneinfo

import dagster as dg
import pytest

from cvms_pipeline import settings
from cvms_pipeline.defs import retention, schedules

NIGHTLY = schedules.nightly_retention


def test_it_runs_every_night_without_anybody_having_to_turn_it_on():
    assert NIGHTLY.default_status is dg.DefaultScheduleStatus.RUNNING
    assert NIGHTLY.cron_schedule == "30 3 * * *"


def test_the_night_is_that_of_the_settings_time_zone():
    assert NIGHTLY.execution_timezone == settings.load().timezone.key


def test_the_schedule_removes_for_real():
    moment = dt.datetime(2026, 3, 1, 3, 30, tzinfo=zoneinfo.ZoneInfo("Etc/UTC"))
    with dg.build_schedule_context(scheduled_execution_time=moment) as context:
        (request,) = NIGHTLY.evaluate_tick(context).run_requests

    assert request.run_config == {"dry_run": False}


def test_by_hand_nothing_is_removed_unless_told():
    assert retention.Choice().dry_run


@pytest.mark.parametrize("config", [{}, {"dry_run": True}, {"dry_run": False}])
def test_the_job_takes_its_one_choice_for_all_steps(config):
    assert dg.validate_run_config(retention.retention, config)


def test_the_job_waits_behind_every_upload():
    assert retention.retention.tags["dagster/priority"] == "-20"
