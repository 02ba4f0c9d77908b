import re

import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline import errors
from cvms_pipeline.store import outbox
from cvms_pipeline.use_cases import compose, deliver, process
from cvms_pipeline.use_cases.recipients import access

NOTICE, INVITATION = deliver.Kind.NOTICE, deliver.Kind.INVITATION


class CrashError(Exception):
    """The process has died here."""


def statuses(site):
    return site.column("SELECT status FROM cvms.messages ORDER BY kind, queued_at, id")


def test_the_provider_gets_one_notice_with_the_error_report(by_smtp, mailbox):
    upload_id = by_smtp.bring([ANN, BAD])

    (notice,) = mailbox.received
    (attached,) = notice.iter_attachments()
    assert notice["To"] == "staff@mercy.example.org"
    assert notice["Subject"] == "Bulk Employee Upload - Failure"
    assert attached.get_filename() == "BulkError.csv"
    assert attached.get_content() == by_smtp.pipeline.reports.read(upload_id).decode()


def test_the_notice_of_a_file_that_is_not_utf_8_shows_a_name_that_was_loaded(
    by_smtp, mailbox
):
    rows = [ANN, "José,Martínez,1/2/1990,j@b.example.org"]
    data = "\n".join(["First name,Last name,Date of birth,Email", *rows])

    by_smtp.bring(data.encode("windows-1252"))

    (notice,) = mailbox.received
    text = " ".join(notice.get_body(("plain",)).get_content().split())
    assert "The file is not in UTF-8; it was read as windows-1252." in text
    assert "a name that was loaded: José Martínez." in text


def test_each_recipient_gets_one_invitation(by_smtp, mailbox):
    upload_id = by_smtp.receive([ANN, BOB])
    by_smtp.process(upload_id)
    mailbox.received.clear()

    first = deliver.send_invitations(by_smtp.pipeline, upload_id)
    second = deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert (first.sent, second.sent) == (2, 0)
    assert sorted(each["To"] for each in mailbox.received) == [
        "ann@b.example.org",
        "bob@b.example.org",
    ]
    body = mailbox.received[0].get_body(("plain",)).get_content()
    assert ".COVID19VACCINE" in body
    assert f"{by_smtp.pipeline.links.base_url}/set-password/" in body


def test_an_unavailable_mail_server_delays_messages_and_loses_none(
    by_smtp, mailbox, server
):
    upload_id = by_smtp.receive([ANN])
    server.stop()

    by_smtp.process(upload_id)
    away = deliver.send_notice(by_smtp.pipeline, upload_id)
    server.start()
    too_soon = deliver.send_notice(by_smtp.pipeline, upload_id)
    by_smtp.clock.forward(minutes=2)
    back = deliver.send_notice(by_smtp.pipeline, upload_id)

    assert (away.sent, away.waiting) == (0, 1)
    assert (too_soon.sent, too_soon.waiting) == (0, 1)
    assert (back.sent, back.waiting) == (1, 0)
    assert len(mailbox.received) == 1


def test_an_address_that_is_refused_stops_no_other_and_is_not_tried_again(
    by_smtp, mailbox
):
    mailbox.answers["ann@b.example.org"] = "550 <ann@b.example.org> is unknown"
    upload_id = by_smtp.receive([ANN, BOB])
    by_smtp.process(upload_id)

    delivered = deliver.send_invitations(by_smtp.pipeline, upload_id)
    by_smtp.clock.forward(days=1)
    again = deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert delivered.describe() == "1 sent, 1 refused, 0 waiting"
    assert again.describe() == "0 sent, 1 refused, 0 waiting"
    errors = "SELECT last_error FROM cvms.messages WHERE status = 'refused'"
    assert by_smtp.column(errors) == ["SMTP 550"]


def test_a_crash_after_the_server_s_answer_repeats_one_message_with_the_same_id(
    by_smtp, mailbox, monkeypatch
):
    upload_id = by_smtp.receive([ANN, BOB])
    by_smtp.process(upload_id)
    mailbox.received.clear()

    def die(*arguments, **options):
        raise CrashError

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "mark_sent", die)
        with pytest.raises(CrashError):
            deliver.send_invitations(by_smtp.pipeline, upload_id)
    while_leased = deliver.send_invitations(by_smtp.pipeline, upload_id)
    by_smtp.clock.forward(hours=1)
    deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert while_leased.sent == 0
    ids = [each["Message-ID"] for each in mailbox.received]
    assert (len(ids), len(set(ids))) == (3, 2)
    assert ids[0] in ids[1:]


def test_a_notice_removes_the_work_folder(site):
    upload_id = site.receive([ANN])
    site.pipeline.work.write(upload_id, "read_rows", b"rows")

    site.process(upload_id)

    assert site.pipeline.work.list_ids() == []


def test_due_messages_are_found_by_upload_and_kind(site):
    upload_id = site.receive([ANN])
    assert deliver.wait_for_due(site.pipeline, seconds=0, pause_seconds=0) == []

    site.process(upload_id)

    due = deliver.wait_for_due(site.pipeline, seconds=60, pause_seconds=0.1)
    assert due == [deliver.Due(kind=INVITATION, upload_id=upload_id)]


def test_data_ops_are_alerted_once_a_run_with_a_link_to_it(site):
    upload_id = site.receive([ANN])
    for _ in range(2):
        process.mark_failed(
            site.pipeline, upload_id, run_id="the-run", job="process_upload"
        )

    sent = deliver.send_alerts(site.pipeline)

    (alert,) = site.mail()
    assert sent == 1
    assert alert["To"] == "data-ops@example.org"
    assert (
        "http://127.0.0.1:3000/runs/the-run" in alert.get_body(("plain",)).get_content()
    )


def test_a_failed_run_without_an_upload_is_reported_in_the_same_way(site):
    process.mark_failed(site.pipeline, None, run_id="the-run", job="retention")

    due = deliver.wait_for_due(site.pipeline, seconds=0, pause_seconds=0)
    sent = deliver.send_alerts(site.pipeline)

    (alert,) = site.mail()
    assert due == [deliver.Due(kind=deliver.Kind.ALERT, upload_id=None)]
    assert sent == 1
    assert alert["Subject"] == "CVMS upload: A run of the job retention has failed"
    assert "/runs/the-run" in alert.get_body(("plain",)).get_content()


def test_a_message_that_cannot_be_composed_delays_no_other(site, monkeypatch):
    def fail(pipeline, due):
        if due.details["run"] == "first":
            raise KeyError(due.to)
        return write(pipeline, due)

    for run_id in ("first", "second", "third"):
        process.mark_failed(site.pipeline, None, run_id=run_id, job="retention")
    write = compose.compose_message
    with monkeypatch.context() as patch:
        patch.setattr(compose, "compose_message", fail)
        with pytest.raises(KeyError):
            deliver.send_alerts(site.pipeline)
        assert deliver.send_alerts(site.pipeline) == 0  # it is put off
    site.clock.forward(minutes=1)

    assert len(site.mail()) == 2
    kept = "SELECT last_error FROM cvms.messages WHERE status = 'waiting'"
    assert site.column(kept) == ["KeyError"]
    assert deliver.send_alerts(site.pipeline) == 1


def test_a_dependency_that_is_unavailable_while_composing_is_retried(site, monkeypatch):
    def away(*arguments):
        raise errors.TransientError

    upload_id = site.receive([ANN])
    with monkeypatch.context() as patch:
        patch.setattr(compose, "compose_message", away)
        with pytest.raises(errors.TransientError):
            site.process(upload_id)
    site.clock.forward(minutes=1)  # the lease is over

    assert deliver.send_notice(site.pipeline, upload_id).sent == 1


def test_a_corrected_address_gets_its_own_invitation(by_smtp, mailbox):
    by_smtp.bring([ANN])
    upload_id = by_smtp.bring(["Ann,Lee,1/2/1990,new@b.example.org"])
    mailbox.received.clear()

    deliver.send_invitations(by_smtp.pipeline, upload_id)

    assert [each["To"] for each in mailbox.received] == ["new@b.example.org"]


def get_token(message):
    body = message.get_body(("plain",)).get_content()
    return re.search(r"/set-password/(\S+)/", body)[1]


def test_the_link_that_went_to_a_wrong_address_dies_with_its_correction(
    by_smtp, mailbox
):
    first = by_smtp.bring([ANN])
    deliver.send_invitations(by_smtp.pipeline, first)
    second = by_smtp.bring(["Ann,Lee,1/2/1990,new@b.example.org"])
    deliver.send_invitations(by_smtp.pipeline, second)
    invitations = [each for each in mailbox.received if "staff" not in each["To"]]
    sent = {each["To"]: get_token(each) for each in invitations}

    assert access.check_link(by_smtp.pipeline, sent["new@b.example.org"])
    with pytest.raises(access.LinkEnded) as ended:
        access.check_link(by_smtp.pipeline, sent["ann@b.example.org"])
    assert ended.value.why is access.Why.CORRECTED
