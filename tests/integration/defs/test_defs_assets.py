"""A run of the real definitions on one upload: events, metadata, checks."""

import dagster as dg
import dagster_operations
import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline.domain.vocabulary import upload

OPS = ["read_rows", "validate_rows", "find_duplicates", "upsert_recipients"]


def materialized(result):
    """Return the materializations of a run, of whatever asset."""
    events = [event for event in result.all_events if event.is_step_materialization]
    return [event.step_materialization_data.materialization for event in events]


def test_a_run_loads_the_rows_writes_the_report_and_sends_the_notice(desk):
    upload_id = desk.receive([ANN, BAD, BOB])

    result = desk.run(upload_id)

    assert result.success
    assert desk.site.column("SELECT first_name FROM cvms.recipients") == ["Ann", "Bob"]
    assert desk.site.results() == ["BulkError.csv", "receipt.txt"]
    assert [each["To"] for each in desk.site.mail()] == ["staff@mercy.example.org"]


def test_the_numbers_of_an_upload_can_be_plotted(desk):
    upload_id = desk.bring([ANN, BAD, BOB, ANN])

    shown = desk.materialization("recipients", upload_id)

    assert shown.pop("seconds") >= 0
    numbers = {
        "dagster/partition_row_count": 2,
        "rows in file": 4,
        "loaded": 2,
        "updated": 0,
        "rejected": 2,
        "share rejected": 50.0,
        "refused": "no",
    }
    assert numbers.items() <= shown.items()
    reasons = {name: n for name, n in shown.items() if name.startswith("rejected: ")}
    assert sum(reasons.values()) >= 2
    assert "rejected: duplicate-in-file" in reasons


def test_report_and_notice_say_where_and_how_many(desk):
    upload_id = desk.bring([ANN, BAD])

    report = desk.materialization("error_report", upload_id)
    notice = desk.materialization("provider_notice", upload_id)

    assert report["error report"] == str(desk.site.pipeline.reports.path(upload_id))
    assert report["beside the drop"] is True
    assert report["dagster/partition_row_count"] == 1
    assert (notice["sent"], notice["refused by the mail server"]) == (1, 0)


def test_each_op_reports_the_number_of_its_rows(desk):
    upload_id = desk.receive([ANN, BAD, "a,b"])

    result = desk.run(upload_id)

    outputs = [e for e in result.all_events if e.is_successful_output]
    shown = {e.step_key: e.step_output_data.metadata for e in outputs[:3]}
    rejected = [shown[f"recipients.{op}"]["rejected so far"].value for op in OPS[:3]]
    assert rejected == [1, 2, 2]


def test_without_rejected_rows_no_report_is_needed(desk):
    upload_id = desk.bring([ANN])

    assert desk.materialization("error_report", upload_id)["error report"] == (
        "none needed"
    )
    assert desk.site.results() == ["receipt.txt"]


# Rows, and what the checks say: accounted for, readable, share of rejected rows.
CHECKS = [
    ([ANN, BOB], (True, True, True)),
    ([ANN, BAD], (True, True, False)),  # half of the rows: a warning
    ([BAD], (True, True, False)),  # all of them: still a successful run
    (b"PK\x03\x04", (True, False, True)),  # refused
    (b"", (True, False, True)),  # nothing in it
]


@pytest.mark.parametrize(("content", "passed"), CHECKS)
def test_a_mistake_of_a_provider_fails_a_check_and_not_the_run(desk, content, passed):
    upload_id = desk.receive(content)

    result = desk.run(upload_id)

    told = dagster_operations.checks(result)
    names = ("every_line_accounted_for", "file_readable", "share_of_rejected_rows")
    assert result.success
    assert tuple(told[name].passed for name in names) == passed
    assert told["share_of_rejected_rows"].severity is dg.AssetCheckSeverity.WARN
    assert told["file_readable"].severity is dg.AssetCheckSeverity.ERROR


def test_a_refusal_is_shown_by_its_code(desk):
    upload_id = desk.receive(b"PK\x03\x04")

    result = desk.run(upload_id)

    metadata = dagster_operations.checks(result)["file_readable"].metadata
    assert metadata["refused"].value == "file-not-csv"
    shown = desk.materialization("recipients", upload_id)
    assert shown["refused"] == "file-not-csv"
    assert desk.site.upload(upload_id).status is upload.UploadStatus.REFUSED


def test_possible_duplicates_are_a_warning_with_their_uploads_and_lines(desk):
    desk.site.add_provider("duke")
    earlier = desk.bring([ANN], slug="duke")
    upload_id = desk.receive([BOB, "Lee,Ann,1/2/1990,x@b.example.org"])

    result = desk.run(upload_id)

    check = dagster_operations.checks(result)["possible_duplicates"]
    assert result.success
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.metadata["rows"].value == 1
    (record,) = check.metadata["lines"].records
    assert record.data == {
        "line": 3,
        "likeness": "swapped-names",
        "of upload": earlier,
        "of line": 2,
        "of provider": "another",
    }


def test_without_possible_duplicates_their_check_passes(desk):
    upload_id = desk.receive([ANN, BOB])

    result = desk.run(upload_id)

    check = dagster_operations.checks(result)["possible_duplicates"]
    assert check.passed
    assert (check.metadata["rows"].value, check.metadata["lines"].value) == (0, "none")


def test_a_line_that_is_not_accounted_for_stops_the_run(desk):
    upload_id = desk.bring([ANN, BAD])
    desk.site.execute("DELETE FROM cvms.rejected_rows")

    result = desk.run(upload_id)

    check = dagster_operations.checks(result)["every_line_accounted_for"]
    assert not result.success
    assert (check.passed, check.blocking) == (False, True)
    assert check.metadata["accounted for"].value == 1
    assert "error_report" not in {e.step_key for e in result.all_events}


def test_running_a_finished_partition_again_changes_nothing_and_sends_nothing(desk):
    desk.bring([ANN])
    upload_id = desk.bring(["Ann,Lee,1/2/1990,new@b.example.org", BAD, BOB])
    desk.run(upload_id, "send_invitations")
    before = desk.site.everything()

    results = [desk.run(upload_id) for _ in range(2)]
    results.append(desk.run(upload_id, "send_invitations"))
    results.append(desk.run(upload_id, "send_notice"))

    assert [result.success for result in results] == [True] * 4
    assert desk.site.everything() == before
    assert desk.materialization("recipients", upload_id)["updated"] == 1


def test_invitations_have_a_separate_job(desk):
    upload_id = desk.bring([ANN, BOB])
    assert len(desk.site.mail()) == 1

    assert desk.run(upload_id, "send_invitations").success

    assert len(desk.site.mail()) == 3
    assert desk.materialization("recipient_invitations", upload_id)["sent"] == 2


def test_a_run_materializes_the_assets_of_its_job_and_no_other(desk):
    result = desk.run(desk.receive([BAD]))  # nobody to invite

    made = {each.asset_key.path[-1] for each in materialized(result)}
    assert made == {"recipients", "error_report", "provider_notice"}


def test_a_notice_that_waits_leaves_its_asset_unmaterialised(by_smtp, server):
    server.stop()
    upload_id = by_smtp.receive([ANN])

    result = by_smtp.run(upload_id)
    assert result.success
    made = {each.asset_key.path[-1] for each in materialized(result)}
    assert made == {"recipients", "error_report"}

    server.start()
    by_smtp.site.clock.forward(minutes=2)
    assert by_smtp.run(upload_id, "send_notice").success
    assert by_smtp.materialization("provider_notice", upload_id)["sent"] == 1


def test_the_assets_have_descriptions_for_the_ui(desk):
    graph = desk.definitions.resolve_asset_graph()

    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners == ["team:data-ops"]
        assert node.kinds
    recipients = graph.get(dg.AssetKey("recipients"))
    assert {"dagster/column_schema", "dagster/table_name"} <= recipients.metadata.keys()
    assert {each.path[-1] for each in recipients.parent_keys} == {"upload"}


def test_each_upload_keeps_the_results_of_its_checks(desk):
    refused = desk.bring([])
    good = desk.bring([ANN])

    key = dg.AssetCheckKey(dg.AssetKey("recipients"), "file_readable")
    told = desk.instance.event_log_storage.get_asset_check_execution_history(
        key, limit=9
    )

    assert {each.partition: each.status.value for each in told} == {
        refused: "FAILED",
        good: "SUCCEEDED",
    }


def test_a_check_of_the_day_can_be_run_from_the_ui(desk):
    from cvms_pipeline.defs import assets, checks  # where Dagster's warning is expected

    upload_id = desk.receive([ANN])
    desk.site.execute("UPDATE cvms.uploads SET status = 'failed', failed_at = now()")
    key = dg.AssetCheckKey(assets.todays_uploads.key, checks.NO_UPLOAD_FAILED)

    result = dg.materialize(
        [assets.todays_uploads, checks.check_todays_uploads],
        instance=desk.instance,
        resources={"pipeline": desk.site.pipeline},
        selection=dg.AssetSelection.checks(key),
    )

    (told,) = result.get_asset_check_evaluations()
    assert not told.passed
    assert told.metadata["upload ids"].value == upload_id
