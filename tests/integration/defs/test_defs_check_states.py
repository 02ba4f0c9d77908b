"""The UI's own GraphQL on the checks of `recipients`: one state for each upload."""

import asyncio
import sys
from collections.abc import Iterator

import dagster as dg
import pytest
import test_defs_canary_tables
from dagster._core.test_utils import in_process_test_workspace
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceRequestContext
from dagster_graphql import schema
from installations import ANN, BAD, BOB

# Dagster's own, when it describes a schedule.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Property `ScheduleDefinition.environment_vars` is deprecated"
)
STATES = """{
    assetNodes(assetKeys: [{path: ["recipients"]}]) {
        assetChecksOrError {
            ... on AssetChecks {
                checks {
                    name
                    partitionStatuses {
                        ... on AssetCheckDefaultPartitionStatuses {
                            succeededPartitions failedPartitions
                            inProgressPartitions executionFailedPartitions
                        }
                    }
                }
            }
        }
    }
}"""


@pytest.fixture
def instance(tmp_path, site) -> Iterator[dg.DagsterInstance]:
    """An instance on the product's own storage, in the database of the site."""
    (tmp_path / "dagster").mkdir()
    with dg.instance_for_test(
        temp_dir=str(tmp_path / "dagster"),
        overrides={
            "storage": {"custom": test_defs_canary_tables.STORAGE},
            "compute_logs": test_defs_canary_tables.NO_OUTPUT,
        },
    ) as made:
        yield made


@pytest.fixture
def ui(instance) -> Iterator[WorkspaceRequestContext]:
    """What answers the questions of the UI, with the definitions in this process."""
    loaded = LoadableTargetOrigin(
        executable_path=sys.executable,
        module_name="cvms_pipeline.definitions",
        working_directory=".",
    )
    with in_process_test_workspace(instance, loaded) as context:
        yield context


def states(ui: WorkspaceRequestContext) -> dict[str, dict[str, str]]:
    """Return the state of each upload as the page Checks → Partitions shows it."""
    with ui:
        answer = asyncio.run(
            schema.create_schema().execute_async(STATES, context_value=ui)
        )
    ui.loaders.clear()  # or the next request gets the same answer
    assert not answer.errors
    (recipients,) = answer.data["assetNodes"]
    return {
        check["name"]: {
            upload_id: state.removesuffix("Partitions")
            for state, upload_ids in check["partitionStatuses"].items()
            for upload_id in upload_ids
        }
        for check in recipients["assetChecksOrError"]["checks"]
    }


def test_each_upload_has_the_state_of_each_check_despite_later_uploads(desk, ui):
    good = desk.receive([ANN, BOB])
    refused = desk.receive(b"PK\x03\x04")
    half = desk.receive([ANN, BAD])

    for upload_id in (good, refused, half):
        assert desk.run(upload_id).success

    passed, failed = "succeeded", "failed"
    assert states(ui) == {
        "every_line_accounted_for": {good: passed, refused: passed, half: passed},
        "file_readable": {good: passed, refused: failed, half: passed},
        "share_of_rejected_rows": {good: passed, refused: passed, half: failed},
        "possible_duplicates": {good: passed, refused: passed, half: passed},
    }


def test_an_upload_that_is_run_again_keeps_its_states(desk, ui):
    upload_id = desk.bring([ANN, BAD])
    before = states(ui)

    assert desk.run(upload_id).success

    assert before["share_of_rejected_rows"] == {upload_id: "failed"}
    assert states(ui) == before


def test_a_line_that_is_not_accounted_for_fails_the_check_and_stops_the_run(desk, ui):
    upload_id = desk.bring([ANN, BAD])
    desk.site.execute("DELETE FROM cvms.rejected_rows")

    result = desk.run(upload_id)

    shown = states(ui)
    assert not result.success
    assert shown["every_line_accounted_for"] == {upload_id: "failed"}
    assert "error_report" not in {event.step_key for event in result.all_events}
