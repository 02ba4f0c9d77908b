"""Ticks of the real sensors, on files and tables as they are."""

import dagster as dg
import dagster_operations
import pytest
from installations import ANN, BAD, BOB, HIGH

from cvms_pipeline import errors
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.use_cases import process, receive


def asked(result):
    return [(each.job_name, each.partition_key) for each in result.run_requests]


def settled(desk):
    """Return the first tick that asks for something."""
    for _ in range(1000):
        result = desk.sensor("incoming_uploads")
        if isinstance(result, dg.SensorResult):
            return result
    pytest.fail("Nothing has settled.")


def test_a_settled_file_gets_its_partition_and_its_run(desk):
    desk.site.drop([ANN])

    result = settled(desk)

    (request,) = result.run_requests
    (added,) = result.dynamic_partitions_requests
    (event,) = result.asset_events
    assert request.run_key == request.partition_key == event.partition
    assert added.partition_keys == [request.partition_key]
    assert request.tags["cvms/provider"] == "mercy"
    assert event.metadata["bytes"].value > 0
    assert event.metadata["sha256"].value != "not read"


def test_a_run_of_an_upload_is_requested_once(desk):
    desk.site.drop([ANN], lane=HIGH)
    first = settled(desk)
    assert first.run_requests[0].tags["cvms/lane"] == "high_volume"

    again = desk.sensor("incoming_uploads", cursor=first.cursor)

    assert again.skip_message == "No file has settled."


def test_a_run_that_a_dying_tick_requested_is_requested_again_at_once(desk):
    desk.site.drop([ANN])
    lost = settled(desk)  # Dagster has never heard of it: the cursor is not moved

    again = desk.sensor("incoming_uploads")

    assert again.run_requests[0].run_key == lost.run_requests[0].run_key


def test_due_invitations_are_requested_until_their_run_is_unfinished(desk):
    upload_id = desk.bring([ANN])

    first = desk.sensor("waiting_messages")
    desk.instance.add_run(
        dg.DagsterRun(
            job_name="send_invitations",
            status=dg.DagsterRunStatus.STARTED,
            tags={"dagster/partition": upload_id},
        )
    )
    second = desk.sensor("waiting_messages")

    assert asked(first) == [("send_invitations", upload_id)]
    assert asked(second) == []


def test_no_run_is_requested_when_no_message_is_due(desk):
    desk.run(desk.bring([BOB]), "send_invitations")

    assert desk.sensor("waiting_messages").skip_message == "No message is due."


def test_the_overview_is_reported_when_something_has_changed(desk):
    upload_id = desk.bring([ANN, BAD])

    first = desk.sensor("overview")
    second = desk.sensor("overview", cursor=first.cursor)
    process.mark_failed(desk.site.pipeline, upload_id, run_id="r", job="send_notice")
    third = desk.sensor("overview", cursor=first.cursor)

    (today, green, _), (_, red, _) = first.asset_events, third.asset_events
    (day,) = first.dynamic_partitions_requests
    assert day.partition_keys == [today.partition]
    assert "required-missing" in today.metadata["uploads"].value  # the commonest
    assert f"partition={upload_id})" in today.metadata["uploads"].value
    assert second.skip_message == "Nothing has changed."
    assert (green.passed, red.passed) == (True, False)


def failed_run(desk, upload_id, monkeypatch):
    def fail(*arguments):
        raise errors.PermanentError("A rule is broken.")

    with monkeypatch.context() as patch:
        patch.setattr(process, "validate_rows", fail)
        return desk.run(upload_id)


def record_failures(desk, cursor=None):
    """Let the failure sensor read the runs that have failed; return its cursor."""
    desk.site.clock.forward(seconds=6)  # the newest failures are left to a later tick
    return desk.sensor("failed_runs", cursor=cursor).cursor


def test_a_failed_run_leaves_the_upload_failed_and_alerts_data_ops(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    result = failed_run(desk, upload_id, monkeypatch)

    record_failures(desk)
    record_failures(desk)  # the daemon may have died after the first

    assert desk.site.upload(upload_id).status is upload.UploadStatus.FAILED
    assert asked(desk.sensor("waiting_messages")) == [("send_alerts", None)]
    assert desk.run(None, "send_alerts").success
    assert desk.site.upload(upload_id).status is upload.UploadStatus.FAILED
    (alert,) = desk.site.mail()
    assert alert["To"] == "data-ops@example.org"
    assert f"/runs/{result.run_id}" in alert.get_body(("plain",)).get_content()


def test_a_run_that_was_followed_by_another_sends_no_alert(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    failed_run(desk, upload_id, monkeypatch)
    assert desk.run(upload_id).success

    record_failures(desk)

    assert asked(desk.sensor("waiting_messages")) == [("send_invitations", upload_id)]
    assert desk.site.upload(upload_id).status is upload.UploadStatus.COMPLETED


def test_a_tick_that_cannot_claim_a_file_reports_it_with_our_message(desk, monkeypatch):
    def refuse(*arguments, **options):
        raise errors.TransientError("The disk is full.")

    monkeypatch.setattr(receive, "wait_for_uploads", refuse)

    with pytest.raises(dg.Failure, match="disk is full"):
        desk.sensor("incoming_uploads")


def test_a_failed_upload_that_is_run_again_is_no_longer_failed(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    failed_run(desk, upload_id, monkeypatch)
    record_failures(desk)

    result = desk.run(upload_id)

    assert result.success
    assert dagster_operations.retries(result) == []
    assert desk.site.upload(upload_id).status is upload.UploadStatus.COMPLETED
