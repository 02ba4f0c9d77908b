"""Data-ops are told by mail of every run that has failed for good, once."""

import dagster as dg
import pytest
from installations import ANN
from test_defs_canary import assert_no_canary, raising
from test_defs_sensors import asked, tell

from cvms_pipeline import errors
from cvms_pipeline.defs import failures
from cvms_pipeline.ingest import deliver, retention, writing
from cvms_pipeline.store import outbox

BROKEN = raising(writing, "write")
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


def told(desk, run):
    """Let the failure sensor look at a run that no result is known of."""
    context = dg.build_run_status_sensor_context(
        sensor_name="failed_runs",
        dagster_event=dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.RUN_FAILURE.value,
            job_name=run.job_name,
        ),
        dagster_instance=desk.instance,
        dagster_run=run,
        resources={"pipeline": desk.site.pipeline},
    ).for_run_failure()
    return desk.definitions.resolve_sensor_def("failed_runs")(context)


def alerts(desk):
    return desk.site.column("SELECT details FROM cvms.messages WHERE kind = 'alert'")


def test_a_failed_night_of_retention_is_told_by_mail_with_a_link_and_once(
    desk, monkeypatch
):
    result = failed_night(desk, monkeypatch)

    tell(desk, result)
    tell(desk, result)  # the daemon may have died after the first
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
def test_a_night_that_was_lost_is_told_too_since_nobody_asks_for_it_again(desk, tags):
    run = left_failed(desk, **tags)

    told(desk, run)

    assert [each["run"] for each in alerts(desk)] == [run.run_id]


def test_a_night_that_dagster_tries_again_alerts_nobody(desk):
    skipped = told(desk, left_failed(desk, **{"dagster/will_retry": "true"}))

    assert isinstance(skipped, dg.SkipReason)
    assert alerts(desk) == []


def test_a_dependency_that_was_away_all_the_time_is_told(desk, monkeypatch):
    monkeypatch.setattr(failures, "MOST_RETRIES", 1)
    result = failed_night(desk, monkeypatch, errors.TransientError("The disk is full."))

    tell(desk, result)

    assert [each["run"] for each in alerts(desk)] == [result.run_id]


def test_every_failed_night_is_told_of_itself(desk, monkeypatch):
    results = [failed_night(desk, monkeypatch) for _ in range(2)]

    for result in results:
        tell(desk, result)

    runs = {each["run"] for each in alerts(desk)}
    assert runs == {result.run_id for result in results}


def test_alerts_that_cannot_be_sent_are_told_of_once_and_not_asked_for_without_end(
    desk, monkeypatch
):
    desk.receive([ANN], slug="stranger")
    desk.site.process(desk.site.column("SELECT id FROM cvms.uploads")[0])
    results, at_once = [], None
    with monkeypatch.context() as patch:
        BROKEN(desk, patch)
        for _ in range(3):
            results.append(desk.run(None, "send_alerts"))
            tell(desk, results[-1])
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


def test_alerts_whose_worker_has_died_are_asked_for_again_and_nobody_is_told(desk):
    with desk.site.pipeline.store.begin() as conn:
        outbox.queue_alert(
            conn, "x", "ops@example.org", now=desk.site.clock(), details={}
        )
    run = left_failed(desk, "send_alerts", **{"cvms/purpose": "messages"})

    skipped = told(desk, run)

    assert isinstance(skipped, dg.SkipReason)
    assert asked(desk.sensor("waiting_messages")) == [ALERTS]


def test_invitations_that_fail_for_good_leave_the_upload_failed_and_are_told_once(
    desk, monkeypatch
):
    upload_id = desk.bring([ANN])
    results = []
    with monkeypatch.context() as patch:
        BROKEN(desk, patch)
        for _ in range(2):
            desk.site.clock.forward(hours=1)
            results.append(desk.run(upload_id, "send_invitations"))
            tell(desk, results[-1])

    assert [each["run"] for each in alerts(desk)] == [results[0].run_id]
    assert deliver.alerts(desk.site.pipeline) == 1
    assert desk.site.upload(upload_id).status == "failed"
    desk.site.clock.forward(hours=1)
    assert desk.run(upload_id, "send_invitations").success
    assert desk.site.upload(upload_id).status == "completed"
