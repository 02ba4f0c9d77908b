"""Runs that are repeated from the UI, by the mutations that the UI sends."""

import pytest

JOB = {
    "repositoryLocationName": "cvms_pipeline",
    "repositoryName": "__repository__",
}
ASSETS = [
    {"path": [name]} for name in ("recipients", "error_report", "provider_notice")
]
BAD = "Cy,,13/41/1991,cy@canary.example.org"

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
REEXECUTE = """
mutation Reexecute($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
CHECK = """
query Check($check: String!) {
  assetCheckExecutions(
    assetKey: {path: ["todays_uploads"]}, checkName: $check, limit: 1
  ) { evaluation { success } }
}
"""


def launch(up, upload_id, job, **selection):
    """Do what the launchpad or an asset's page does for one partition."""
    tags = [{"key": "dagster/partition", "value": upload_id}]
    answer = up.graphql(
        LAUNCH,
        params={
            "selector": {**JOB, "pipelineName": job, **selection},
            "mode": "default",
            "executionMetadata": {"tags": tags},
        },
    )
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return up.ended(answer["run"]["runId"])


def backfill(up, upload_id):
    """Do what "Launch backfill" for failed partitions does; return its run."""
    before = {run["runId"] for run in up.runs(upload_id)}
    params = {"assetSelection": ASSETS, "partitionNames": [upload_id]}
    answer = up.graphql(BACKFILL, params=params)
    assert answer["__typename"] == "LaunchBackfillSuccess", answer

    def started():
        return [r for r in up.runs(upload_id) if r["runId"] not in before]

    return up.ended(up.eventually(started)[0]["runId"])


def steps(run):
    return {each["stepKey"]: each["status"] for each in run["stepStats"]}


def check_is(up, expected):
    """Wait until the standing check says so."""

    def agrees():
        found = up.graphql(CHECK, check="no_upload_failed")
        return found and found[0]["evaluation"]["success"] is expected

    up.eventually(agrees)


def test_a_finished_partition_run_again_changes_nothing_and_sends_nothing(up, people):
    upload_id = up.bring([*people(2), BAD])
    before = up.kept(upload_id)

    ended = [
        launch(up, upload_id, "process_upload"),
        launch(up, upload_id, "send_invitations"),
        launch(up, upload_id, "__ASSET_JOB", assetSelection=ASSETS),
        backfill(up, upload_id),
    ]

    assert [run["status"] for run in ended] == ["SUCCESS"] * 4
    assert up.kept(upload_id) == before


@pytest.fixture
def failed(up, people):
    """Two uploads whose runs have failed, and whose cause has been mended since."""
    up.execute("ALTER TABLE cvms.rejected_rows RENAME TO mislaid")
    try:
        dropped = [up.drop([*people(1), BAD]) for _ in range(2)]
        uploads = [up.upload_of(name) for name in dropped]
        for upload_id in uploads:
            up.eventually(lambda id=upload_id: up.status(id) == "failed")
        check_is(up, False)
        again = launch(up, uploads[0], "__ASSET_JOB", assetSelection=ASSETS)
        assert again["status"] == "FAILURE"
        up.eventually(lambda: len(up.mail(f"upload {uploads[0]}")) == 2)
        assert up.status(uploads[0]) == "failed"
    finally:
        up.execute("ALTER TABLE cvms.mislaid RENAME TO rejected_rows")
    return uploads


def test_a_failed_partition_alerts_and_can_be_run_again_from_the_ui(up, failed):
    from_failure, from_start = failed
    alerts = [up.eventually(lambda id=id: up.mail(f"upload {id}")) for id in failed]
    first = up.runs(from_failure, statuses=["FAILURE"])[0]

    params = {"parentRunId": first["runId"], "strategy": "FROM_FAILURE"}
    answer = up.graphql(REEXECUTE, params=params)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    again = up.ended(answer["run"]["runId"])
    other = backfill(up, from_start)

    assert [run["status"] for run in (again, other)] == ["SUCCESS", "SUCCESS"]
    assert set(steps(again)) == {
        "recipients.upsert_recipients",
        "error_report",
        "provider_notice",
    }
    for upload_id in failed:
        up.finished(upload_id)
        assert up.status(upload_id) == "completed_with_errors"
        assert len(up.results(upload_id).joinpath("BulkError.csv").read_bytes()) > 0
    assert [alert[0]["To"] for alert in alerts] == ["data-ops@example.org"] * 2
    texts = [alert.get_body(("plain",)).get_content() for alert in alerts[0]]
    assert any(f"/runs/{first['runId']}" in text for text in texts)
    check_is(up, True)
