"""One thing that cannot be removed is passed over and told; the others are removed."""

import shutil

import pytest
from dagster_installations import LIMITS, finished, make_unremovable
from installations import ANN, BAD, BOB

from cvms_pipeline.errors import TransientError
from cvms_pipeline.files import archive
from cvms_pipeline.maintenance import file_retention, passing_over, retention
from cvms_pipeline.store import audit
from cvms_pipeline.use_cases import deliver

REMOVED_FILES = "SELECT upload_id FROM cvms.audit WHERE event = 'file-removed'"
ALERTS = """SELECT substring(details #>> '{kept,0}' from ': ([0-9]+) are')::int
  FROM cvms.messages WHERE details ->> 'about' = 'not-all-removed' ORDER BY queued_at"""
CYD = "Cyd,Orr,3/4/1985,cyd@c.example.org"


@pytest.fixture
def three(site) -> list[str]:
    """Uploads with a report each that finished long ago."""
    found = [finished(site, [row, BAD]) for row in (ANN, BOB, CYD)]
    site.clock.forward(days=400)
    return found


def test_a_report_that_cannot_be_removed_keeps_its_rows_and_only_these(site, three):
    stuck = three[1]
    make_unremovable(site.pipeline.reports.path(stuck))

    rows, reports = retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=False)

    assert (rows.found, rows.removed) == (3, 2)
    assert (reports.found, reports.removed, reports.kept) == (3, 2, 1)
    left = site.column("SELECT DISTINCT upload_id FROM cvms.rejected_rows")
    assert left == [stuck]
    assert [site.upload(each).purged_at is None for each in three] == [
        False,
        True,
        False,
    ]


def test_a_received_file_that_cannot_be_removed_stays_alone(site, three):
    stuck = three[0]
    make_unremovable(site.pipeline.archive.path(stuck))

    archived, *_ = file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)

    assert (archived.found, archived.removed, archived.kept) == (3, 2, 1)
    assert [site.pipeline.archive.path(each).exists() for each in three] == [
        True,
        False,
        False,
    ]


def test_the_audit_holds_what_was_removed_and_nothing_else(site, three):
    stuck = three[0]
    make_unremovable(site.pipeline.archive.path(stuck))

    for _ in range(3):
        file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)

    assert sorted(site.column(REMOVED_FILES)) == sorted(three[1:])
    assert site.pipeline.archive.list_marked() == []


@pytest.mark.parametrize(
    ("broken", "entries_then"),
    [(audit, 0), (archive.Archive, 1)],
    ids=["before the entry", "after the entry"],
)
def test_a_crash_between_a_file_and_its_entry_leaves_one_entry(
    site, three, monkeypatch, broken, entries_then
):
    class CrashError(Exception):
        """The process ends here."""

    def crash(*_: object, **__: object) -> None:
        raise CrashError

    name = {audit: "write", archive.Archive: "remove_marks"}[broken]
    with monkeypatch.context() as patch:
        patch.setattr(broken, name, crash)
        if broken is archive.Archive:
            patch.setattr(file_retention, "_finish_removals", lambda *_: None)
        with pytest.raises(CrashError):
            file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)
    assert len(site.column(REMOVED_FILES)) == 3 * entries_then
    assert not any(map(site.pipeline.archive.has, three))

    file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)

    assert sorted(site.column(REMOVED_FILES)) == sorted(three)
    assert site.pipeline.archive.list_marked() == []


def test_the_run_removes_all_others_shows_what_is_left_and_alerts_once(
    dagster, site, three
):
    make_unremovable(site.pipeline.reports.path(three[2]))

    for _ in range(3):
        assert dagster.run("retention", run_config={"dry_run": False}).success

    assert site.column("SELECT count(*) FROM cvms.rejected_rows") == [1]
    removed = site.column(
        "SELECT sum((details ->> 'Rejected rows')::int) FROM cvms.audit"
        " WHERE event = 'retention'"
    )
    assert removed == [2]
    deliver.send_alerts(site.pipeline)
    (alert,) = [each for each in site.mail() if "Retention" in each["Subject"]]
    told = alert.get_body(("plain",)).get_content().replace("\n", " ")
    assert "Error reports: 1 are left. " in told
    assert str(site.pipeline.reports.root) in told
    assert three[2] not in told


def test_when_other_things_are_left_there_is_another_alert(site, three):
    paths = [site.pipeline.archive.path(stuck) for stuck in three[:2]]
    for path in paths:
        make_unremovable(path)
    for gone in (None, paths[0]):
        if gone:
            shutil.rmtree(gone)
        for _ in range(2):
            results = file_retention.remove_files(site.pipeline, LIMITS, dry_run=False)
            retention.report_kept(site.pipeline, results)

    assert site.column(ALERTS) == [2, 1]


def test_where_nothing_can_be_removed_it_is_given_up_soon(site, monkeypatch):
    monkeypatch.setattr(passing_over, "_MAX", 1)
    stuck = [finished(site, [row, BAD]) for row in (ANN, BOB, CYD)]
    for each in stuck:
        make_unremovable(site.pipeline.reports.path(each))
    site.clock.forward(days=400)

    with pytest.raises(TransientError):
        retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=False)
    assert site.column("SELECT count(*) FROM cvms.rejected_rows") == [3]
