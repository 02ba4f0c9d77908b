"""A re-run in Dagster of an upload of which only the history is left."""

from dataclasses import replace

import pytest
from installations import ANN, BAD


@pytest.fixture
def forgotten(dagster) -> str:
    """An upload whose partition, rows, report and file have all gone with age."""
    upload_id = dagster.processed([ANN, BAD])
    dagster.limits = replace(dagster.limits, live_partitions=0)
    dagster.site.clock.forward(days=400)
    dagster.retain(dry_run=False)
    assert dagster.live() == []
    return upload_id


def test_a_repeated_run_succeeds_and_changes_nothing(dagster, forgotten):
    before = dagster.site.everything()
    dagster.instance.add_dynamic_partitions("uploads", [forgotten])

    result = dagster.run("process_upload", partition_key=forgotten)

    assert result.success
    assert dagster.site.everything() == before


def test_its_lines_are_all_accounted_for_by_its_counts(dagster, forgotten):
    dagster.instance.add_dynamic_partitions("uploads", [forgotten])

    result = dagster.run("process_upload", partition_key=forgotten)

    found = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert found["every_line_accounted_for"].passed


def test_the_log_and_the_report_name_what_was_removed(dagster, forgotten):
    dagster.instance.add_dynamic_partitions("uploads", [forgotten])

    result = dagster.run("process_upload", partition_key=forgotten)

    said = [log.user_message for log in dagster.instance.all_logs(result.run_id)]
    (report,) = result.asset_materializations_for_node("error_report")
    assert any("removed by `retention`" in words for words in said)
    assert "were purged on" in report.metadata["error report"].value
