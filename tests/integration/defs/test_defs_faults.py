"""Faults of ours: tried again if that can help, else failed in our own words."""

import dagster as dg
import dagster_operations
import pytest
from installations import ANN, BAD

from cvms_pipeline import errors
from cvms_pipeline.defs import recovery
from cvms_pipeline.use_cases import deliver, process, publish

# Where a use case fails, which job runs it, and in which step.
PLACES = [
    (process, "read_rows", "process_upload", "recipients.read_rows"),
    (process, "validate_rows", "process_upload", "recipients.validate_rows"),
    (process, "find_duplicates", "process_upload", "recipients.find_duplicates"),
    (process, "load", "process_upload", "recipients.upsert_recipients"),
    (publish, "publish", "process_upload", "error_report"),
    (deliver, "send_notice", "process_upload", "provider_notice"),
    (deliver, "send_invitations", "send_invitations", "recipient_invitations"),
]


def failing(monkeypatch, module, name, error, times=10**9):
    """Let a use case raise `error` so many times, then work."""
    working = getattr(module, name)
    left = [times]

    def fail_first(*arguments, **options):
        if left[0] > 0:
            left[0] -= 1
            raise error
        return working(*arguments, **options)

    monkeypatch.setattr(module, name, fail_first)


@pytest.mark.parametrize(("module", "name", "job", "step"), PLACES)
def test_a_transient_fault_is_tried_again_and_then_succeeds(
    desk, monkeypatch, module, name, job, step
):
    upload_id = desk.bring([ANN]) if job == "send_invitations" else desk.receive([ANN])
    away = errors.TransientError("The database is away.")
    failing(monkeypatch, module, name, away, times=2)

    result = desk.run(upload_id, job)

    assert result.success
    assert dagster_operations.retries(result) == [step, step]


@pytest.mark.parametrize(("module", "name", "job", "step"), PLACES)
def test_a_permanent_fault_fails_the_run_at_once_with_our_message(
    desk, monkeypatch, module, name, job, step
):
    upload_id = desk.bring([ANN]) if job == "send_invitations" else desk.receive([ANN])
    failing(monkeypatch, module, name, errors.PermanentError("A rule is broken."))

    result = desk.run(upload_id, job)

    assert not result.success
    assert dagster_operations.retries(result) == []
    assert dagster_operations.failure(result) == (step, "A rule is broken.")


def test_a_lasting_fault_fails_the_run_with_our_message(desk, monkeypatch):
    away = errors.TransientError("The database is away.")
    failing(monkeypatch, process, "read_rows", away)

    result = desk.run(desk.receive([ANN]))

    assert len(dagster_operations.retries(result)) == recovery.MAX_STEP_RETRIES
    assert dagster_operations.failure(result)[1] == "The database is away."


def test_a_database_that_refuses_a_statement_is_named_by_constraint(desk):
    desk.site.execute(
        "ALTER TABLE cvms.recipients ADD CONSTRAINT no_ann CHECK (first_name <> 'Ann')"
    )

    result = desk.run(desk.receive([ANN]))

    step, words = dagster_operations.failure(result)
    assert step == "recipients.upsert_recipients"
    assert words == (
        "The database refused a statement (SQLSTATE 23514, constraint no_ann,"
        " table recipients). Check whether somebody has changed the tables. If not, it"
        " is a bug of ours: report it with this text."
    )


def test_a_report_that_cannot_be_written_is_written_when_it_can(desk):
    root = desk.site.pipeline.reports.root
    root.write_text("a file where the folder should be")
    upload_id = desk.receive([ANN, BAD])

    failed = desk.run(upload_id)
    root.unlink()
    again = desk.run(upload_id)

    assert (failed.success, again.success) == (False, True)
    assert dagster_operations.failure(failed)[0] == "error_report"
    assert len(desk.site.mail()) == 1


def test_the_steps_after_a_failed_one_can_be_run_alone(desk, monkeypatch):
    upload_id = desk.receive([ANN, BAD])
    with monkeypatch.context() as patch:
        failing(patch, publish, "publish", errors.PermanentError("A rule is broken."))
        assert not desk.run(upload_id).success
    left = dg.AssetSelection.assets("error_report", "provider_notice")
    keys = list(left.resolve(desk.definitions.resolve_asset_graph()))

    result = desk.run(upload_id, asset_selection=keys)

    assert result.success
    steps = {event.step_key for event in result.all_events if event.step_key}
    assert steps == {"error_report", "provider_notice"}
    assert len(desk.site.mail()) == 1
