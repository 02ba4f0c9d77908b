"""`cvms cases` and `cvms case`: the help desk's queue, for a person and a program."""

import help_desks
import installations
import prometheus_client
import pytest

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.local import metrics
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases.help_desk import handling


@pytest.fixture
def asked(terminal, mercy, pipeline):
    """Two cases: one assigned and answered, one new for two days."""
    site = installations.Installation(
        pipeline=pipeline, clock=installations.Clock(), home=terminal.home
    )
    answered, waiting = (help_desks.open_case(site).number for _ in range(2))
    people = {"by": help_desks.SAM, "version": 1}
    help_desks.handle(pipeline, answered, to=help_desks.SAM, **people)
    handling.reply_as_staff(pipeline, answered, "Which?", by=help_desks.SAM, version=2)
    handling.write_note(pipeline, answered, "Hm.", by=help_desks.SAM, version=4)
    two_days = "waiting_since = waiting_since - interval '2 days'"
    site.execute(f"UPDATE cvms.cases SET {two_days} WHERE number = {waiting}")  # noqa: S608 # a number
    return cases.format_number(answered), cases.format_number(waiting)


def test_cases_are_listed_by_state_and_by_who_waits(terminal, asked):
    answered, waiting = asked

    both = terminal.cvms("cases")
    overdue = terminal.cvms("cases", "--overdue", "--json").json
    unassigned = terminal.cvms("cases", "--unassigned", "--state", "new", "--json").json
    closed = terminal.cvms("cases", "--state", "closed")
    wrong = terminal.cvms("cases", "--state", "open")

    assert both.out.index(waiting) < both.out.index(answered)  # the longest waiting
    assert "Elm Clinic" in both.out
    assert [(each["number"], each["is_overdue"]) for each in overdue] == [
        (waiting, True)
    ]
    assert [each["number"] for each in unassigned] == [waiting]
    assert closed.out == "There is no such case.\n"
    assert wrong.code == 2
    assert "must be one of new, in_progress, waiting_for_requester" in wrong.err


def test_a_case_is_shown_with_its_activity_and_the_audit_says_who_has_looked(
    terminal, asked, pipeline
):
    answered, _ = asked

    shown = terminal.cvms("case", answered.lower())
    read = terminal.cvms("case", answered, "--json").json
    unknown = terminal.cvms("case", "VACHCP0009999")

    assert "noted, internal" in shown.out
    assert "Ria Requester" in shown.out
    assert (read["state"], read["priority"]) == ("in_progress", 3)
    assert [each["action"] for each in read["activity"]][-1] == "noted"
    assert read["files"][0]["file_name"] == "Our staff.csv"
    assert unknown.code == 1
    assert "There is no case with this number." in unknown.err
    events = terminal.cvms("audit", "--json").json
    reads = [each for each in events if each["event"] == "case-read"]
    assert [each["details"] for each in reads] == [{"case": 1001}] * 2
    assert all(each["actor"].startswith("user:") for each in reads)


def test_status_and_metrics_count_cases_and_warn_of_overdue_ones(terminal, asked):
    ended = terminal.cvms("status", "--no-processes")
    collector = metrics._HealthCollector(loading.load(), has_processes=False)
    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    registry.register(collector)

    assert ended.code == 1
    assert "1 case of the help desk waited too long" in ended.out
    assert "2 open, 1 unassigned, 1 overdue" in ended.out
    assert registry.get_sample_value("cvms_cases", {"state": "new"}) == 1
    assert registry.get_sample_value("cvms_cases", {"state": "in_progress"}) == 1
    assert registry.get_sample_value("cvms_cases_overdue") == 1
    assert registry.get_sample_value("cvms_cases_unassigned") == 1
    assert "Ria" not in ended.out
