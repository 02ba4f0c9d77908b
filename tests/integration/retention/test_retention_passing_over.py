"""One thing that cannot be removed is passed over and told; the others are removed."""

import pytest
from dagster_installations import LIMITS, finished, make_unremovable
from installations import ANN, BAD, BOB

from cvms_pipeline.defs import recovery
from cvms_pipeline.errors import TransientError
from cvms_pipeline.maintenance import passing_over, retention

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

    archived, *_ = retention.remove_files(site.pipeline, LIMITS, dry_run=False)

    assert (archived.found, archived.removed, archived.kept) == (3, 2, 1)
    assert [site.pipeline.archive.path(each).exists() for each in three] == [
        True,
        False,
        False,
    ]


def test_the_run_fails_when_all_others_are_removed_and_says_what_and_why(
    dagster, site, three, monkeypatch
):
    monkeypatch.setattr(recovery, "MAX_STEP_RETRIES", 0)  # each waits a while
    make_unremovable(site.pipeline.reports.path(three[2]))
    config = {"dry_run": False}

    result = dagster.run("retention", run_config=config, raise_on_error=False)

    ended = {event.step_key for event in result.all_events if event.is_step_failure}
    assert not result.success
    assert ended == {"purge_rejected_rows"}
    assert site.column("SELECT count(*) FROM cvms.rejected_rows") == [1]
    removed = site.column(
        "SELECT sum((details ->> 'Rejected rows')::int) FROM cvms.audit"
        " WHERE event = 'retention'"
    )
    assert removed == [2]


def test_the_error_names_the_kind_the_number_and_the_cause(site, three):
    make_unremovable(site.pipeline.reports.path(three[0]))
    results = retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=False)

    with pytest.raises(TransientError) as raised:
        retention.check_all_removed(results)

    assert "\nError reports: 1 are left. " in str(raised.value)
    assert str(site.pipeline.reports.root) in str(raised.value)
    assert three[0] not in str(raised.value)


def test_where_nothing_can_be_removed_it_is_given_up_soon(site, monkeypatch):
    monkeypatch.setattr(passing_over, "_MAX", 1)
    stuck = [finished(site, [row, BAD]) for row in (ANN, BOB, CYD)]
    for each in stuck:
        make_unremovable(site.pipeline.reports.path(each))
    site.clock.forward(days=400)

    with pytest.raises(TransientError):
        retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=False)
    assert site.column("SELECT count(*) FROM cvms.rejected_rows") == [3]
