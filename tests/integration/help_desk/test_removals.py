"""A removal from the search of staff to the erasing, and what is dead in between."""

import help_desks
import pytest
from help_desks import RIA, SAM, SUE
from installations import ANN, BAD, BOB

from cvms_pipeline.domain.vocabulary import cases
from cvms_pipeline.maintenance import erasing, retention
from cvms_pipeline.store import audit, listing
from cvms_pipeline.use_cases import compose, deliver, history, process
from cvms_pipeline.use_cases.help_desk import handling, people, reading, removal
from cvms_pipeline.use_cases.recipients import access

LIMITS = retention.Limits(
    live_partitions=9, run_days=9, rejected_rows_days=90, removed_days=30,
    draft_days=90, archive_days=365, work_days=9, case_days=365,
)  # fmt: skip
WIDOW = {"kind": cases.Kind.REMOVAL, "file": None, "details": "Please remove her."}


@pytest.fixture
def number(site) -> int:
    """A case in which Ann is to be removed, beside Bob and a rejected row."""
    site.add_provider("county")
    site.bring([ANN, BOB, BAD])
    return help_desks.open_case(site, **WIDOW).number


def find(site, *words, **facts):
    return removal.list_candidates(site.pipeline, words, by=SAM, **facts)


def ask(site, number, word="ann"):
    (found,) = find(site, word)
    removal.ask(site.pipeline, number, found.recipient_id, by=SAM)
    return found.recipient_id


def approve(site, number, by=SUE, **facts):
    version = help_desks.look(site, number).version
    removal.approve(site.pipeline, number, by=by, **{"version": version, **facts})


def entries(site, event):
    with site.pipeline.store.begin() as conn:
        found = audit.list_entries(conn, limit=99)
    return [each for each in found if each.event == event]


def test_staff_find_people_of_every_provider_and_the_audit_has_no_word(site, number):
    site.bring(["Anna,Moe,1/2/1990,am@b.example.org"], slug="county")

    assert {each.provider for each in find(site, "ann")} == {"mercy", "county"}
    assert [each.first_name for each in find(site, "ann", provider="county")] == [
        "Anna"
    ]
    assert find(site, " ") == find(site) == []
    (ann,) = find(site, "ann", "lee")
    seen = removal.get_candidate(site.pipeline, ann.recipient_id, by=SAM)
    assert (seen.email, seen.line) == ("ann@b.example.org", 2)
    assert "Ann" not in repr(seen)
    with pytest.raises(handling.ForStaff):
        removal.list_candidates(site.pipeline, ["ann"], by=RIA)
    notes = entries(site, "recipients-read")
    assert [each.details.get("recipients") for each in notes] == [None, 1, 1, 2]
    assert notes[0].details["recipient"] == ann.recipient_id
    assert all(each.details["account"] == SAM.account_id for each in notes)


def test_two_people_remove_somebody_and_the_requester_is_told_no_name(site, number):
    recipient_id = ask(site, number)
    assert "removal_asked" not in str(
        reading.get_own_case(site.pipeline, number, by=RIA).activity
    )
    ended = []

    approve(site, number, end_log_in=ended.append)

    assert ended == [recipient_id]
    seen = reading.get_own_case(site.pipeline, number, by=RIA)
    assert seen.state is cases.State.RESOLVED
    assert [each.action for each in seen.activity][-2:] == ["removed", "state_changed"]
    done = removal.find_removal(site.pipeline, number)
    assert (done.asked_by, done.approved_by) == (SAM.account_id, SUE.account_id)
    deliver.send_alerts(site.pipeline)
    told = [each for each in site.mail() if "RIA" in each["To"].upper()]
    assert any("was removed" in each.as_string() for each in told)
    assert not any("ann@" in each.as_string().lower() for each in told)
    assert find(site, "ann") == []
    with pytest.raises(removal.RecipientUnknown):
        removal.get_candidate(site.pipeline, recipient_id, by=SAM)


# Who may not approve, what is wrong, and the error.
REFUSED = {
    "the one who has asked": (
        people.Person(
            account_id=SAM.account_id, name="", email="", is_staff=True,
            is_supervisor=True,
        ), {}, removal.SameAccount),
    "staff": (SAM, {}, removal.ForSupervisor),
    "a supervisor of nothing": (
        people.Person(account_id=RIA.account_id, name="", email="", is_supervisor=True),
        {}, handling.ForStaff),
    "an older page": (SUE, {"version": 1}, handling.StaleCase),
}  # fmt: skip


def test_nobody_else_approves_and_nothing_of_it_is_done(site, number):
    ask(site, number)
    before = site.everything()

    for by, facts, error in REFUSED.values():
        with pytest.raises(error):
            approve(site, number, by, **facts)

    def fail(recipient_id):
        raise RuntimeError

    with pytest.raises(RuntimeError):  # the removal is not done without it
        approve(site, number, end_log_in=fail)
    assert site.everything() == before
    assert len(find(site, "ann")) == 1
    approve(site, number)
    with pytest.raises(removal.NothingAsked):
        approve(site, number)


def test_a_closed_case_removes_nobody_and_what_was_asked_can_be_taken_back(
    site, number
):
    ask(site, number)
    version = help_desks.look(site, number).version
    removal.drop(site.pipeline, number, by=SAM, version=version)
    assert removal.find_removal(site.pipeline, number) is None
    ask(site, number)
    version = help_desks.look(site, number).version
    state = cases.State.CLOSED
    help_desks.handle(site.pipeline, number, state=state, by=SAM, version=version)

    with pytest.raises(reading.CaseClosed):
        approve(site, number)
    with pytest.raises(reading.CaseClosed):
        ask(site, number, "bob")


def test_links_invitations_and_pages_end_and_nothing_brings_the_person_back(
    site, number
):
    upload_id = site.column("SELECT id FROM cvms.uploads")[0]
    recipient_id = ask(site, number)
    url = site.pipeline.links.make_link(
        recipient_id, "ann@b.example.org", recipient_id, issued_at=site.clock()
    )
    token = url.split("/")[-2]

    assert access.check_link(site.pipeline, token).recipient_id == recipient_id
    approve(site, number)

    with pytest.raises(access.LinkEnded) as ended:
        access.check_link(site.pipeline, token)
    assert ended.value.why is access.Why.REMOVED
    assert deliver.send_invitations(site.pipeline, upload_id).sent == 1
    for is_failed in (False, True):
        if is_failed:
            process.mark_failed(
                site.pipeline, upload_id, run_id="x", job="process_upload"
            )
        loaded = site.process(upload_id, f"again-{is_failed}")
        assert (loaded.outcome.loaded, loaded.accounted_for) == (2, 3)
    assert find(site, "ann") == []
    assert deliver.send_invitations(site.pipeline, upload_id).sent == 0
    assert site.upload(upload_id).loaded == 2  # as history
    counts = history.count_invitations(site.pipeline, site.upload(upload_id))
    assert counts == {"sent": 1, "withdrawn": 1}
    # Only an upload that holds the person loads her, as new.
    again = site.bring([ANN])
    assert site.upload(again).loaded == 1
    assert deliver.send_invitations(site.pipeline, again).sent == 1


def test_a_corrected_report_brings_back_nobody_who_was_removed(site, number):
    brought = {
        "mercy": site.bring([ANN, BAD]),
        "county": site.bring([ANN], slug="county"),
    }
    ask(site, number)
    approve(site, number)

    for slug, upload_id in brought.items():
        report = history.render_error_report(site.pipeline, site.upload(upload_id))
        again = site.bring(report.replace(b'"Cy",""', b'"Cy","Lee"'), slug=slug)
        assert site.upload(again).loaded == 0, slug
        assert site.upload(again).reasons["duplicate-recipient"] == 1
    # A row without an error is a new one.
    assert site.upload(site.bring([ANN])).loaded == 1


def test_names_are_erased_after_their_days_and_a_record_stays(site, number):
    first = site.column("SELECT id FROM cvms.uploads")[0]
    twice = site.bring([ANN, BAD], slug="county")
    recipient_id = ask(site, number)
    approve(site, number)
    site.clock.forward(days=29)
    assert erase(site) == (0, 0)
    site.clock.forward(days=2)
    before = site.everything()

    assert erase(site, dry_run=True) == (1, 0)
    assert site.everything() == before
    assert erase(site) == (1, 1)

    assert erase(site) == (0, 0)
    stored = site.table("SELECT * FROM cvms.recipients WHERE removed_at IS NOT NULL")
    (kept,) = stored.to_dict("records")
    assert (str(kept["id"]), kept["upload_id"]) == (recipient_id, first)
    assert (kept["first_name"], kept["email"]) == ("", "")
    for name in ("recipients", "messages", "rejected_rows", "recipient_changes"):
        rows = site.table(f"SELECT * FROM cvms.{name}").to_csv()  # noqa: S608 # above
        assert "ann@b.example.org" not in rows
    report = history.render_error_report(site.pipeline, site.upload(twice)).decode()
    assert "Cy" in report
    assert "Ann" not in report
    assert history.find_error_report(site.pipeline, site.upload(twice)) is None
    # A repeated run is still complete; the message has nobody to go to.
    assert site.process(twice, "later").accounted_for == 2
    (message,) = [
        each
        for each in history.list_messages(site.pipeline, upload_id=first, limit=9)
        if each.status is history.MessageStatus.WITHDRAWN
    ]
    with pytest.raises(listing.MessageUnknown):
        compose.show_message(site.pipeline, message.id)


def test_a_report_that_cannot_be_removed_holds_up_nobody_else(site, number):
    twice = site.bring([ANN, BAD], slug="county")
    ask(site, number)
    approve(site, number)
    other = help_desks.open_case(site, **WIDOW).number
    site.bring(["Anna,Moe,1/2/1990,am@b.example.org"])
    ask(site, other, "moe")
    approve(site, other)
    site.clock.forward(days=31)
    path = site.pipeline.reports.path(twice)
    path.unlink()
    (path / "kept").mkdir(parents=True)

    assert erase(site) == (2, 1)

    named = "SELECT first_name FROM cvms.recipients WHERE removed_at IS NOT NULL"
    assert sorted(site.column(named)) == ["", "Ann"]


def erase(site, *, dry_run: bool = False) -> tuple[int, int]:
    (result,) = erasing.erase_removed(site.pipeline, LIMITS, dry_run=dry_run)
    return result.found, result.removed


def test_removals_are_done_again_after_an_older_backup_was_restored(
    site, number, empty_removals
):
    approved = removal.list_done(site.pipeline)

    empty_removals()  # as the backup has it
    assert len(find(site, "ann")) == 1
    assert [removal.repeat(site.pipeline, each) for each in approved] == [True]

    assert find(site, "ann") == []
    assert removal.list_done(site.pipeline) == approved
    assert [removal.repeat(site.pipeline, each) for each in approved] == [False]
    assert site.column(
        "SELECT recipients FROM cvms.providers WHERE slug = 'mercy'"
    ) == [1]


@pytest.fixture
def empty_removals(site, number):
    """Remove Ann; return what puts the tables back to before."""
    names = ("recipients", "messages", "providers")
    for name in names:
        site.execute(f"CREATE TABLE public.{name} AS TABLE cvms.{name}")
    ask(site, number)
    approve(site, number)

    def put_back() -> None:
        site.execute("SET LOCAL session_replication_role = replica;"
                     " DELETE FROM cvms.removals")  # fmt: skip
        for name in names:
            site.execute(
                "SET LOCAL session_replication_role = replica;"  # noqa: S608 # names above
                f" DELETE FROM cvms.{name};"
                f" INSERT INTO cvms.{name} SELECT * FROM public.{name}"
            )

    return put_back
