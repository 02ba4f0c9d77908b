"""The module that Dagster loads: nothing is read early, all is in its right place."""

import os
import subprocess
import sys

import dagster as dg

from cvms_pipeline import definitions

NAMES = {
    "process_upload",
    "send_invitations",
    "send_notice",
    "send_alerts",
    "retention",
}


def test_importing_the_definitions_reads_no_settings():
    wrong = {**os.environ, "CVMS_TIMEZONE": "Nowhere/At_All", "CVMS_WORKERS": "many"}

    imported = subprocess.run(
        [sys.executable, "-c", "import cvms_pipeline.definitions"],
        env=wrong,
        check=False,
    )

    assert imported.returncode == 0


def test_jobs_sensors_and_schedules_keep_their_names(site):
    repository = definitions.defs().get_repository_def()

    assert set(repository.job_names) - {"__ASSET_JOB"} == NAMES
    assert {each.name for each in repository.sensor_defs} == {
        "incoming_uploads",
        "waiting_messages",
        "failed_runs",
        "lost_runs",
        "overview",
        "funnel",
    }
    assert [each.name for each in repository.schedule_defs] == ["nightly_retention"]


def test_the_ui_shows_how_much_retention_keeps(site, monkeypatch):
    monkeypatch.setenv("CVMS_ARCHIVE_DAYS", "77")

    limits = definitions.defs().get_repository_def().get_top_level_resources()["limits"]

    config = limits.config_schema.default_value
    assert config["archive_days"] == 77
    assert isinstance(limits, dg.ResourceDefinition)


def test_the_assets_are_in_two_groups(site):
    graph = definitions.defs().resolve_asset_graph()

    assert {
        key.to_user_string() for key in graph.asset_keys_for_group("operations")
    } == {
        "todays_uploads",
        "recipient_funnel",
        "data_ops_alerts",
    }
    assert len(graph.asset_keys_for_group("bulk_upload")) == 5


def test_what_data_ops_look_at_says_when_it_is_old(site):
    specs = definitions.defs().resolve_all_asset_specs()

    assert {each.key.to_user_string() for each in specs if each.freshness_policy} == {
        "todays_uploads",
        "recipient_funnel",
        "upload",
    }


def test_no_description_has_marks_that_the_catalogue_shows_as_they_are(site):
    made = definitions.defs()
    repository = made.get_repository_def()
    checks = [
        check.get_spec_for_check_key(key).description
        for check in made.asset_checks or []
        for key in check.check_keys
    ]
    described = [
        *(each.description for each in made.resolve_all_asset_specs()),
        *(repository.get_job(name).description for name in NAMES),
        *(each.description for each in repository.schedule_defs),
        *(each.description for each in checks_of_recipients()),
        *checks,
    ]

    assert len(described) > 15
    assert [text for text in described if not text or "`" in text] == []


def checks_of_recipients():
    from cvms_pipeline.defs import checks

    return checks.RECIPIENT_CHECKS
