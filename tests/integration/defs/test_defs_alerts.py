"""Data-ops are told by mail of every run that has failed for good, once."""

import dagster as dg
import pytest
from installations import ANN
from test_defs_canary import assert_no_canary, raising
from test_defs_sensors import asked, record_failures

from cvms_pipeline import errors
from cvms_pipeline.defs import recovery
from cvms_pipeline.maintenance import retention
from cvms_pipeline.store import outbox
from cvms_pipeline.use_cases import compose, deliver, process

BROKEN = raising(compose, "compose_message")
ALERTS = ("send_alerts", None)


def failed_night(desk, monkeypatch, error=None):
    """Run retention with a fault that says all it knows of a person."""
    with monkeypatch.context() as patch:
        raising(retention, "purge_rejected_rows", error)(desk, patch)
        result = desk.run(None, "retention")
    assert not result.success
    return result


def left_failed(desk, job="retention", **tags):
    """Leave a run behind as Dagster does when its worker has died."""
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    desk.instance.add_run(run)
    failure = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.RUN_FAILURE.value, job_name=job
    )
    desk.instance.report_dagster_event(failure, run.run_id)
    return desk.instance.get_run_by_id(run.run_id)


def alerts(desk):
    return desk.site.column("SELECT details FROM cvms.messages WHERE kind = 'alert'")


def test_a_failed_run_of_retention_is_reported_once_by_mail_with_a_link(
    desk, monkeypatch
):
    result = failed_night(desk, monkeypatch)

    record_failures(desk)
    record_failures(desk)  # the daemon may have died after the first
    wanted = asked(desk.sensor("waiting_messages"))
    sent = desk.run(None, "send_alerts")

    assert wanted == [ALERTS]
    assert sent.success
    (alert,) = desk.site.mail()
    assert alert["To"] == "data-ops@example.org"
    assert "retention" in alert["Subject"]
    assert f"/runs/{result.run_id}" in alert.get_body(("plain",)).get_content()
    assert_no_canary(alert.as_string())
    again = desk.sensor("waiting_messages")
    assert again.skip_message == "No message is due."


@pytest.mark.parametrize("tags", [{}, {"dagster/will_retry": "false"}])
def test_a_lost_run_of_retention_is_reported_because_it_is_not_requested_again(
    desk, tags
):
    run = left_failed(desk, **tags)

    record_failures(desk)

    assert [each["run"] for each in alerts(desk)] == [run.run_id]


def test_a_run_of_retention_that_dagster_retries_sends_no_alert(desk):
    left_failed(desk, **{"dagster/will_retry": "true"})

    record_failures(desk)

    assert alerts(desk) == []


def test_a_dependency_that_stayed_unavailable_is_reported(desk, monkeypatch):
    monkeypatch.setattr(recovery, "MAX_STEP_RETRIES", 1)
    result = failed_night(desk, monkeypatch, errors.TransientError("The disk is full."))

    record_failures(desk)

    assert [each["run"] for each in alerts(desk)] == [result.run_id]


def test_every_failed_run_of_retention_is_reported_separately(desk, monkeypatch):
    results = [failed_night(desk, monkeypatch) for _ in range(2)]

    record_failures(desk)

    runs = {each["run"] for each in alerts(desk)}
    assert runs == {result.run_id for result in results}


def test_alerts_that_cannot_be_sent_are_reported_once_and_requested_with_pauses(
    desk, monkeypatch
):
    desk.receive([ANN], slug="stranger")
    desk.site.process(desk.site.column("SELECT id FROM cvms.uploads")[0])
    results, at_once = [], None
    with monkeypatch.context() as patch:
        BROKEN(desk, patch)
        for _ in range(3):
            results.append(desk.run(None, "send_alerts"))
            record_failures(desk)
            at_once = at_once or desk.sensor("waiting_messages")
            desk.site.clock.forward(hours=1)
    later = desk.sensor("waiting_messages")

    assert [result.success for result in results] == [False] * 3
    first = results[0].run_id
    assert [each.get("run") for each in alerts(desk)] == [None, first]
    assert asked(at_once) == []
    assert asked(later) == [ALERTS]
    assert desk.run(None, "send_alerts").success
    assert len(desk.site.mail()) == 2


def test_alerts_whose_worker_has_died_are_requested_again_without_another_alert(desk):
    with desk.site.pipeline.store.begin() as conn:
        outbox.queue_alert(
            conn, "x", "ops@example.org", now=desk.site.clock(), details={}
        )
    left_failed(desk, "send_alerts", **{"cvms/purpose": "messages"})

    record_failures(desk)

    assert asked(desk.sensor("waiting_messages")) == [ALERTS]


def test_a_permanent_failure_of_invitations_is_reported_once_for_the_upload(
    desk, monkeypatch
):
    upload_id = desk.bring([ANN])
    results = []
    with monkeypatch.context() as patch:
        BROKEN(desk, patch)
        for _ in range(2):
            desk.site.clock.forward(hours=1)
            results.append(desk.run(upload_id, "send_invitations"))
            record_failures(desk)

    assert [each["run"] for each in alerts(desk)] == [results[0].run_id]
    assert deliver.send_alerts(desk.site.pipeline) == 1
    assert desk.site.upload(upload_id).status == "failed"
    desk.site.clock.forward(hours=1)
    assert desk.run(upload_id, "send_invitations").success
    assert desk.site.upload(upload_id).status == "completed"


def without_store(patch):
    """Let every failure find the store away."""

    def fail(*arguments, **options):
        raise errors.TransientError("The store is away.")

    patch.setattr(process, "mark_failed", fail)


def test_a_failure_that_cannot_be_recorded_is_recorded_by_a_later_tick(
    desk, monkeypatch
):
    cursor = record_failures(desk)
    run = left_failed(desk)
    with monkeypatch.context() as patch:
        without_store(patch)
        with pytest.raises(dg.Failure, match="The store is away"):
            record_failures(desk, cursor)

    record_failures(desk, cursor)

    assert [each["run"] for each in alerts(desk)] == [run.run_id]


def test_a_failure_that_can_never_be_recorded_does_not_delay_the_others(desk):
    unknown = dg.DagsterRun(
        job_name="process_upload",
        status=dg.DagsterRunStatus.FAILURE,
        tags={"dagster/partition": "added-by-hand"},
        parent_run_id="another",
        root_run_id="another",
    )
    desk.instance.add_run(unknown)
    run = left_failed(desk)

    record_failures(desk)

    assert [each["run"] for each in alerts(desk)] == [run.run_id]


def test_a_failure_waits_for_a_later_tick_until_dagster_has_marked_its_retry(desk):
    left_failed(desk)

    desk.sensor("failed_runs")

    assert alerts(desk) == []


def test_more_failures_than_one_tick_handles_are_all_recorded(desk, monkeypatch):
    monkeypatch.setattr(recovery, "_MAX_RECENT_RUNS", 2)
    runs = [left_failed(desk) for _ in range(5)]

    cursor = None
    for _ in range(3):
        cursor = record_failures(desk, cursor)

    assert {each["run"] for each in alerts(desk)} == {run.run_id for run in runs}


def test_a_failure_is_not_read_again_once_the_cursor_has_passed_it(desk, monkeypatch):
    left_failed(desk)
    desk.site.clock.forward(minutes=1)
    cursor = record_failures(desk)
    without_store(monkeypatch)

    record_failures(desk, cursor)

    assert len(alerts(desk)) == 1
