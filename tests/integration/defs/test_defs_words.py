"""What has failed, and what to do, reaches the upload and the alert in our words."""

import pytest
from installations import ANN
from test_defs_faults import failing
from test_defs_sensors import failed_run, record_failures

from cvms_pipeline import errors
from cvms_pipeline.defs import recovery
from cvms_pipeline.domain.vocabulary import faults, upload
from cvms_pipeline.use_cases import process, publish

FULL = errors.TransientError("No room left for /srv (ENOSPC). Free some disk space.")


def failure_of(desk, upload_id):
    found = desk.site.upload(upload_id)
    return found.failed_run, found.failed_step, found.failure


def alert_of(desk):
    assert desk.run(None, "send_alerts").success
    (alert,) = desk.site.mail()
    return alert["Subject"], alert.get_body(("plain",)).get_content()


def test_an_upload_has_the_run_the_step_and_the_sentence_of_its_failure(
    desk, monkeypatch
):
    upload_id = desk.receive([ANN])
    result = failed_run(desk, upload_id, monkeypatch)

    record_failures(desk)

    assert failure_of(desk, upload_id) == (
        result.run_id,
        "validate_rows",
        "A rule is broken.",
    )


def test_an_alert_names_provider_step_sentence_link_and_what_to_click(
    desk, monkeypatch
):
    upload_id = desk.receive([ANN])
    result = failed_run(desk, upload_id, monkeypatch)
    record_failures(desk)

    subject, text = alert_of(desk)

    assert subject == f"CVMS upload: A run has failed for upload {upload_id} of 'mercy'"
    assert " ".join(text.split()) == (
        f"A run has failed for the upload {upload_id} of 'mercy', in the step"
        " validate_rows of the job process_upload. A rule is broken. Nothing is lost:"
        " the file is in the archive. When the cause is corrected, open the run and"
        ' choose "Re-execute from failure" (on its page: "From failure"). Running it'
        " again never loads or sends anything twice. See it in the Dagster UI:"
        f" http://127.0.0.1:3000/runs/{result.run_id}"
    )


def test_a_revoked_privilege_is_named_with_its_remedy(desk, monkeypatch):
    upload_id = desk.receive([ANN])

    def refused(*arguments):
        desk.site.execute("DO $$ BEGIN RAISE SQLSTATE '42501'; END $$")

    monkeypatch.setattr(process, "load", refused)
    result = desk.run(upload_id)
    record_failures(desk)

    assert failure_of(desk, upload_id) == (
        result.run_id,
        "upsert_recipients",
        faults.TABLE_FORBIDDEN.describe("SQLSTATE 42501"),
    )


def test_a_step_that_is_tried_again_says_why_until_it_has_succeeded(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    seen = []

    def look(*arguments):
        if len(seen) < 2:
            seen.append(failure_of(desk, upload_id))
            raise FULL
        return validate(*arguments)

    validate = process.validate_rows
    monkeypatch.setattr(process, "validate_rows", look)
    result = desk.run(upload_id)

    assert result.success
    assert seen == [(None, None, None), (None, "validate_rows", str(FULL))]
    assert failure_of(desk, upload_id) == (None, None, None)
    logs = desk.instance.all_logs(result.run_id)
    assert f"This step is retried. {FULL}" in [each.user_message for each in logs]


def test_a_report_that_could_be_written_after_all_leaves_no_failure(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    failing(monkeypatch, publish, "publish", FULL, times=2)

    assert desk.run(upload_id).success

    assert failure_of(desk, upload_id) == (None, None, None)
    assert desk.site.upload(upload_id).status is upload.UploadStatus.COMPLETED


def test_a_run_again_takes_the_failure_away(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    failed_run(desk, upload_id, monkeypatch)
    record_failures(desk)

    assert desk.run(upload_id).success

    assert failure_of(desk, upload_id) == (None, None, None)


def test_a_run_whose_worker_has_died_says_so(desk, monkeypatch):
    upload_id = desk.receive([ANN])
    result = failed_run(desk, upload_id, monkeypatch)
    monkeypatch.setattr(recovery, "_list_step_failures", lambda *_: [])

    run = desk.instance.get_run_by_id(result.run_id)

    assert recovery.describe_failure(desk.instance, run) == (
        None,
        faults.WORKER_LOST.describe(),
    )


def test_a_stopped_run_says_that_a_person_has_stopped_it(desk):
    upload_id = desk.receive([ANN])

    process.mark_stopped(desk.site.pipeline, [upload_id])

    assert failure_of(desk, upload_id)[2] == (
        "A person has stopped the run. Re-execute it when it should continue."
    )


def test_an_upload_is_failed_even_if_no_alert_can_be_queued(desk):
    upload_id = desk.receive([ANN])
    desk.site.execute("ALTER TABLE cvms.messages RENAME TO elsewhere")

    with pytest.raises(errors.PermanentError, match="is missing"):
        process.mark_failed(
            desk.site.pipeline, upload_id, run_id="r", job="process_upload", why="So."
        )

    assert failure_of(desk, upload_id) == ("r", None, "So.")
