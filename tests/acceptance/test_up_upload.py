"""A file that is copied into the folder, and everything that follows."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import running

GUIDE = Path(__file__).parents[1] / "unit" / "data" / "user_guide"
BAD = "Cy,,13/41/1991,cy@canary.example.org"

MATERIALIZATIONS = """
query Asset($asset: String!, $partition: String!) {
  assetNodeOrError(assetKey: {path: [$asset]}) {
    ... on AssetNode {
      assetMaterializations(partitions: [$partition], limit: 1) {
        metadataEntries { label ... on IntMetadataEntry { intValue } }
      }
    }
  }
}
"""

FAILED_CHECKS = """
{
  assetNodes(assetKeys: [{path: ["recipients"]}]) {
    assetChecksOrError {
      ... on AssetChecks {
        checks {
          name
          partitionStatuses {
            ... on AssetCheckDefaultPartitionStatuses { failedPartitions }
          }
        }
      }
    }
  }
}
"""


def numbers(up: running.Running, asset: str, upload_id: str) -> dict[str, int] | None:
    """Return the whole numbers that the UI shows of an upload's asset."""
    found = up.graphql(MATERIALIZATIONS, asset=asset, partition=upload_id)
    for made in found["assetMaterializations"]:
        entries = made["metadataEntries"]
        return {e["label"]: e["intValue"] for e in entries if "intValue" in e}
    return None


def test_a_dropped_file_is_loaded_reported_notified_and_shown(up, people):
    ann, bob = people(2)

    upload_id = up.bring([ann, BAD, bob])

    loaded = "SELECT count(*) FROM cvms.recipients WHERE upload_id = :id"
    assert up.rows(loaded, id=upload_id) == [(2,)]
    folder = up.results(upload_id)
    report = (folder / "BulkError.csv").read_text("utf-8-sig").splitlines()
    assert report[0] == '"FirstName","LastName","Date of birth","Email","Error"'
    assert report[1].startswith('"Cy","","13/41/1991","cy@canary.example.org",')
    assert (
        "Number of Records Successfully Loaded: 2"
        in (folder / "receipt.txt").read_text()
    )
    (notice,) = up.mail(upload_id)
    (attached,) = notice.iter_attachments()
    assert attached.get_content().encode() == (folder / "BulkError.csv").read_bytes()
    for row in (ann, bob):
        assert len(up.mail(row.rpartition(",")[2])) == 1


def test_the_ui_shows_every_asset_of_the_upload(up, people):
    upload_id = up.bring([*people(1), BAD])

    shown = {
        asset: up.eventually(lambda asset=asset: numbers(up, asset, upload_id))
        for asset in (
            "upload",
            "recipients",
            "error_report",
            "provider_notice",
            "recipient_invitations",
        )
    }

    recipients = shown["recipients"]
    assert (recipients["rows in file"], recipients["loaded"]) == (2, 1)
    assert (recipients["rejected"], recipients["rejected: required-missing"]) == (1, 1)
    assert shown["upload"]["bytes"] > 0
    assert shown["recipient_invitations"]["sent"] == 1


def test_the_two_files_of_the_user_guide_give_the_expected_report(up):
    up.bring(GUIDE / "preload.csv")

    upload_id = up.bring(GUIDE / "with_errors.csv")

    report = (up.results(upload_id) / "BulkError.csv").read_text("utf-8-sig")
    expected = (GUIDE / "expected_bulk_error.csv").read_text("utf-8-sig")
    assert list(csv.reader(io.StringIO(report))) == list(
        csv.reader(io.StringIO(expected))
    )


def test_a_refused_file_is_a_successful_run(up):
    upload_id = up.bring(Path(sys.executable))

    assert up.status(upload_id) == "refused"
    assert [run["status"] for run in up.runs(upload_id)] == ["SUCCESS"]


def test_the_ui_shows_which_check_of_a_refused_upload_has_failed(up):
    upload_id = up.bring(Path(sys.executable))

    (recipients,) = up.graphql(FAILED_CHECKS)

    checks = recipients["assetChecksOrError"]["checks"]
    failed = {
        check["name"]: check["partitionStatuses"]["failedPartitions"]
        for check in checks
    }
    assert [name for name in failed if upload_id in failed[name]] == ["file_readable"]


def test_many_files_at_once_are_all_finished(up, people):
    dropped = [up.drop(people(3), "high_volume") for _ in range(6)]

    uploads = [up.upload_of(name) for name in dropped]

    for upload_id in uploads:
        up.finished(upload_id)
        assert up.status(upload_id) == "completed"


def test_the_definitions_validate(up):
    ended = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate"],
        env=up.environment,
        cwd=up.home,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
