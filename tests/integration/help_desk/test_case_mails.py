"""The messages about a case are one thread, and hold nothing that anybody has typed."""

import help_desks
from help_desks import MIA, RIA, SAM

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.use_cases import deliver
from cvms_pipeline.use_cases.help_desk import answering, handling

State = cases.State


def sent_to(mailbox, address):
    return [each for each in mailbox.received if each["To"] == address]


def test_the_messages_of_a_case_are_one_thread_without_a_word_that_was_typed(
    site, by_smtp, mailbox
):
    pipeline = by_smtp.pipeline
    number = help_desks.open_case(site).number
    deliver.send_alerts(pipeline)
    handling.reply_as_staff(pipeline, number, "Secret?", by=SAM, version=1)
    handling.write_note(pipeline, number, "Hush.", by=SAM, version=3)
    deliver.send_alerts(pipeline)
    answering.reply(pipeline, number, "Secret!", by=RIA, key="r")
    version = help_desks.look(site, number).version
    help_desks.handle(pipeline, number, state=State.RESOLVED, by=SAM, version=version)
    answering.close(pipeline, number, by=RIA, key="c")
    deliver.send_alerts(pipeline)

    mine, staffs = (sent_to(mailbox, to) for to in (RIA.email, help_desks.ADDRESS))
    subject = "Case VACHCP0001001 opened - Recipient Bulk Upload"
    first, *later = mine
    assert first["Subject"] == subject
    assert first["In-Reply-To"] is first["References"] is None
    assert [each["Subject"] for each in later] == [f"Re: {subject}"] * 3
    for each in later:
        assert each["In-Reply-To"] == each["References"] == first["Message-ID"]
    assert len({each["Message-ID"] for each in mailbox.received}) == len(mine + staffs)
    assert [each["In-Reply-To"] for each in staffs] == [None, staffs[0]["Message-ID"]]
    url = f"{pipeline.links.base_url}/cases/VACHCP0001001/"
    for each in mailbox.received:
        words = each.get_body(("plain",)).get_content()
        assert url in words
        assert "Please do not reply to this message: replies are not read." in words
        for typed in ("Secret", "Hush", "Elm", "Ria", "Our staff", "Please load"):
            assert typed not in each.as_string()


def test_a_case_is_opened_while_the_mail_server_is_away_and_its_mail_comes_later(
    site, by_smtp, server, mailbox
):
    server.stop()

    number = help_desks.open_case(site, MIA).number
    assert deliver.send_alerts(by_smtp.pipeline) == 0
    server.start()
    by_smtp.clock.forward(minutes=5)
    deliver.send_alerts(by_smtp.pipeline)
    deliver.send_alerts(by_smtp.pipeline)

    (mail,) = sent_to(mailbox, MIA.email)
    assert cases.format_number(number) in mail["Subject"]


def test_a_message_about_a_case_is_due_at_once_and_of_no_upload(site):
    help_desks.open_case(site)

    due = deliver.wait_for_due(site.pipeline, seconds=0, pause_seconds=0)

    assert due == [deliver.Due(kind=deliver.Kind.CASE, upload_id=None)]
