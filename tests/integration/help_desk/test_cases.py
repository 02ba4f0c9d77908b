"""A case is opened once, seen by whom it concerns, answered, handled, and audited."""

import concurrent.futures

import help_desks
import pytest
from help_desks import DATA, MAX, MIA, OTTO, RIA, SAM, SUE

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.store import uploads
from cvms_pipeline.use_cases.help_desk import answering, handling, opening, reading

State = cases.State


def count_files(site) -> int:
    return len(list(site.pipeline.case_files.root.rglob("*-*")))


def test_a_case_has_the_next_number_what_was_typed_and_the_bytes_that_were_sent(site):
    first, second = help_desks.open_case(site), help_desks.open_case(site, MIA)

    assert (first.number, second.number) == (1001, 1002)
    seen = reading.get_own_case(site.pipeline, first.number, by=RIA)
    assert (seen.state, seen.priority, seen.version) == (State.NEW, 3, 1)
    assert (seen.vfc_pin, seen.organisation) == ("NCA765432", "Elm Clinic")
    assert (seen.provider, second.provider) == (None, "mercy")
    (opened,), (file,) = seen.activity, seen.files
    assert (opened.action, opened.text) == ("opened", "Please load our staff.")
    assert (file.file_name, file.size) == ("Our staff.csv", len(DATA))
    read = reading.read_file(site.pipeline, first.number, file.id, by=RIA)
    assert read.data == DATA
    kept = site.pipeline.case_files.path(file.id)
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0


def test_a_request_that_is_sent_twice_opens_one_case_with_one_file(site):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        keys = ["once"] * 6
        opened = list(pool.map(lambda key: help_desks.open_case(site, key=key), keys))

    assert len({each.number for each in opened}) == 1
    assert count_files(site) == 1
    assert len(site.mail()) == 0  # it waits in the outbox
    assert site.column("SELECT count(*) FROM cvms.messages") == [2]


INVALID = {
    "kind": ({"kind": None}, "Choose what you need"),
    "vfc_pin": ({"vfc_pin": "NCA12345"}, "Enter the VFC PIN: NCA and 6 digits"),
    "organisation": ({"organisation": " "}, "Enter the name of the organisation"),
    "name": ({"name": "A\nB"}, "Enter the name of the requestor on one line"),
    "email": ({"email": "ria@elsewhere.org"}, "Enter the e-mail address of your acc"),
    "details": ({"details": "x" * 10_001}, "Shorten the details to at most 10,000"),
    "file": ({"file": None}, "Attach the CSV file with the recipients"),
}


def test_every_problem_of_a_request_is_named_and_nothing_is_kept(site):
    for field, (facts, message) in INVALID.items():
        found = opening.check_request(site.pipeline, help_desks.ask(**facts), by=RIA)
        assert [each.field for each in found] == [field]
        assert found[0].message.startswith(message)
    for name, data in (("a.csv", b""), ("a.xlsx", b"PK"), ("a.csv", b"x" * 10_000_001)):
        file = opening.AttachedFile(file_name=name, data=data)
        found = opening.check_request(site.pipeline, help_desks.ask(file=file), by=RIA)
        assert [each.field for each in found] == ["file"]
    silent = help_desks.ask(kind=cases.Kind.REMOVAL, details="", file=None)
    assert opening.check_request(site.pipeline, silent, by=RIA)[0].field == "details"

    with pytest.raises(opening.RequestInvalid) as raised:
        help_desks.open_case(site, vfc_pin="x", organisation="")

    assert [each.field for each in raised.value.problems] == ["vfc_pin", "organisation"]
    assert count_files(site) == 0
    assert site.column("SELECT count(*) FROM cvms.cases") == [0]


def test_nobody_reads_or_changes_a_case_of_somebody_else(site):
    of_ria, of_mercy = help_desks.open_case(site), help_desks.open_case(site, MIA)
    (file,) = help_desks.look(site, of_ria.number).files

    assert reading.get_own_case(site.pipeline, of_mercy.number, by=MAX).files
    for number, stranger in ((of_ria.number, OTTO), (of_mercy.number, RIA), (9, RIA)):
        with pytest.raises(reading.CaseUnknown):
            reading.get_own_case(site.pipeline, number, by=stranger)
        with pytest.raises(reading.CaseUnknown):
            reading.read_file(site.pipeline, number, file.id, by=stranger)
        with pytest.raises(reading.CaseUnknown):
            answering.reply(site.pipeline, number, "Hello", by=stranger, key="a")
        with pytest.raises(reading.CaseUnknown):
            answering.close(site.pipeline, number, by=stranger, key="b")
        with pytest.raises(handling.ForStaff):
            handling.write_note(site.pipeline, number, "x", by=stranger, version=1)
    with pytest.raises(reading.FileUnknown):  # a file of another case of one's own
        reading.read_file(site.pipeline, of_mercy.number, file.id, by=MIA)
    with pytest.raises(uploads.UploadUnknown):
        help_desks.open_case(site, OTTO, upload_id=site.receive([]))
    lines = reading.list_own_cases(site.pipeline, by=MAX).lines
    assert [line.number for line in lines] == [of_mercy.number]


def test_a_question_and_its_answer_move_a_case_to_and_fro(site):
    number = help_desks.open_case(site).number
    pipeline = site.pipeline

    handling.reply_as_staff(
        pipeline, number, "Which?", by=SAM, version=1, state=State.WAITING
    )
    waiting = help_desks.look(site, number)
    answering.reply(pipeline, number, "Both.", by=RIA, key="r1")
    answering.reply(pipeline, number, "Both.", by=RIA, key="r1")
    answered = help_desks.look(site, number)
    help_desks.handle(
        pipeline, number, state=State.RESOLVED, by=SAM, version=answered.version
    )
    resolved = help_desks.look(site, number)
    answering.add_file(pipeline, number, help_desks.FILE, by=RIA, key="f1")
    answering.add_file(pipeline, number, help_desks.FILE, by=RIA, key="f1")
    reopened = help_desks.look(site, number)
    answering.close(pipeline, number, by=RIA, key="c1")
    closed = help_desks.look(site, number)

    assert (waiting.state, waiting.waiting_since) == (State.WAITING, None)
    assert answered.state is State.IN_PROGRESS
    assert answered.waiting_since is not None
    assert resolved.resolved_at is not None
    assert (reopened.state, reopened.resolved_at) == (State.IN_PROGRESS, None)
    assert len(reopened.files) == count_files(site) == 2
    assert closed.closed_at is not None
    actions = [each.action.value for each in closed.activity]
    assert actions == [
        "opened", "replied", "state_changed", "replied", "state_changed",
        "file_added", "state_changed",
    ]  # fmt: skip
    with pytest.raises(reading.CaseClosed):
        answering.reply(pipeline, number, "Late", by=RIA, key="r2")
    with pytest.raises(reading.CaseClosed):
        answering.add_file(pipeline, number, help_desks.FILE, by=RIA, key="f2")
    assert count_files(site) == 2


def test_a_change_on_a_page_that_is_older_is_refused_and_changes_nothing(site):
    number = help_desks.open_case(site).number
    pipeline = site.pipeline
    help_desks.handle(pipeline, number, to=SUE, by=SAM, version=1)

    with pytest.raises(handling.StaleCase):
        handling.reply_as_staff(pipeline, number, "Late", by=SUE, version=1)
    with pytest.raises(handling.StaleCase):
        help_desks.handle(pipeline, number, to=None, by=SAM, version=1)
    with pytest.raises(handling.StaleCase):
        help_desks.handle(pipeline, number, state=State.CLOSED, by=SAM, version=1)
    with pytest.raises(handling.StaleCase):
        handling.write_note(pipeline, number, "Late", by=SAM, version=1)
    with pytest.raises(handling.StaleCase):
        help_desks.handle(
            pipeline, number, priority=cases.Priority.HIGH, by=SAM, version=1
        )

    seen = help_desks.look(site, number)
    assert (seen.version, seen.state, seen.assignee) == (2, State.NEW, SUE.account_id)
    assert [each.action.value for each in seen.activity] == ["opened", "assigned"]


def test_what_one_form_changes_is_changed_together_or_not_at_all(site):
    number = help_desks.open_case(site).number
    wishes = {"to": SAM, "priority": cases.Priority.HIGH, "by": SAM}

    help_desks.handle(site.pipeline, number, state=State.IN_PROGRESS, by=SAM, version=1)
    begun = help_desks.look(site, number).version
    with pytest.raises(handling.StateInvalid):
        handling.handle(site.pipeline, number, state=State.NEW, version=begun, **wishes)
    before = help_desks.look(site, number)
    handling.handle(
        site.pipeline, number, state=State.RESOLVED, version=before.version, **wishes
    )

    assert (before.assignee, before.priority) == (None, cases.Priority.MODERATE)
    seen = help_desks.look(site, number)
    assert seen.assignee == SAM.account_id
    assert (seen.priority, seen.state) == (cases.Priority.HIGH, State.RESOLVED)


def test_an_internal_note_is_seen_by_staff_alone_and_never_mailed(site):
    number = help_desks.open_case(site).number
    before = site.column("SELECT count(*) FROM cvms.messages")

    handling.write_note(site.pipeline, number, "Careful.", by=SAM, version=1)

    own = reading.get_own_case(site.pipeline, number, by=RIA)
    assert [each.text for each in own.activity] == ["Please load our staff."]
    assert help_desks.look(site, number).activity[-1].text == "Careful."
    assert site.column("SELECT count(*) FROM cvms.messages") == before


def test_the_audit_has_every_change_and_every_read_by_staff_in_ids_and_codes(site):
    number = help_desks.open_case(site).number
    (file,) = help_desks.look(site, number).files
    pipeline = site.pipeline.acting_as("portal:sam")
    help_desks.handle(pipeline, number, to=SAM, by=SAM, version=1)
    help_desks.handle(pipeline, number, priority=cases.Priority.HIGH, by=SAM, version=2)
    handling.reply_as_staff(pipeline, number, "Which?", by=SAM, version=3)
    reading.read_file(pipeline, number, file.id, by=SAM)

    audit = site.table(
        "SELECT event, actor, details - 'case' AS details FROM cvms.audit ORDER BY id"
    )

    changed = audit[audit["event"] == "case-changed"]["details"].tolist()
    assert {"assignee": {"from": None, "to": SAM.account_id}} in changed
    assert {"priority": {"from": 3, "to": 2}} in changed
    assert {"state": {"from": "new", "to": "in_progress"}} in changed
    assert {"action": "replied"} in changed
    events = audit["event"].tolist()
    assert events.count("case-opened") == events.count("case-file-read") == 1
    assert events.count("case-read") == 1
    assert set(audit[audit["event"] == "case-changed"]["actor"]) == {"portal:sam"}
    assert "Ria" not in audit.to_csv()
    assert "Which" not in audit.to_csv()
