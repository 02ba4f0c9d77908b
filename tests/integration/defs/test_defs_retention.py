"""The nightly schedule and the job's safe side."""

import datetime as dt
import zoneinfo

import dagster as dg
import pytest

from cvms_pipeline import definitions
from cvms_pipeline.defs import retention, schedules

(NIGHTLY,) = schedules.build_schedules("Europe/Rome")


def test_it_runs_every_night_without_being_turned_on():
    assert NIGHTLY.default_status is dg.DefaultScheduleStatus.RUNNING
    assert NIGHTLY.cron_schedule == "30 3 * * *"


def test_the_night_is_that_of_the_settings_time_zone(monkeypatch):
    monkeypatch.setenv("CVMS_TIMEZONE", "Asia/Tokyo")

    defs = definitions.defs()

    schedule = defs.resolve_schedule_def("nightly_retention")
    assert schedule.execution_timezone == "Asia/Tokyo"


def test_the_schedule_keeps_the_time_zone_that_it_is_given():
    assert NIGHTLY.execution_timezone == "Europe/Rome"


def test_the_schedule_really_removes():
    moment = dt.datetime(2026, 3, 1, 3, 30, tzinfo=zoneinfo.ZoneInfo("Etc/UTC"))
    with dg.build_schedule_context(scheduled_execution_time=moment) as context:
        (request,) = NIGHTLY.evaluate_tick(context).run_requests

    assert request.run_config == {"dry_run": False}


def test_a_run_started_by_hand_is_a_dry_run_unless_configured():
    assert retention._Config().dry_run


@pytest.mark.parametrize("config", [{}, {"dry_run": True}, {"dry_run": False}])
def test_the_job_has_one_configuration_for_all_its_steps(config):
    assert dg.validate_run_config(retention.apply_retention, config)


def test_the_job_waits_behind_every_upload():
    assert retention.apply_retention.tags["dagster/priority"] == "-20"
