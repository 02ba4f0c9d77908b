"""What retention and re-runs leave in the audit."""

import dagster as dg
from installations import ANN, BAD, BOB

from cvms_pipeline.store import audit


def entries(site, event):
    with site.pipeline.store.begin() as conn:
        found = audit.entries(conn, limit=100)
    return [entry for entry in found if entry.event == event]


def test_each_upload_is_told_whose_rows_and_file_went(dagster):
    upload_id = dagster.processed([ANN, BAD])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=False)

    (purged,) = entries(dagster.site, "rejected-rows-purged")
    (removed,) = entries(dagster.site, "file-removed")
    assert (purged.upload_id, purged.details) == (upload_id, {"rows": 1})
    assert (removed.upload_id, removed.provider) == (upload_id, "mercy")
    assert removed.details == {"what": "Files in the archive"}


def test_what_went_at_all_is_told_with_the_run_that_removed_it(dagster):
    for row in (ANN, BOB, BAD):
        dagster.processed([row])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=False)

    told = entries(dagster.site, "retention")
    removed = {what: count for each in told for what, count in each.details.items()}
    assert removed["Partitions"] == 1
    assert removed["Rejected rows"] == 1
    assert removed["Files in the archive"] == 3
    (run,) = dagster.instance.get_runs(dg.RunsFilter(job_name="retention"))
    assert {each.run_id for each in told} == {run.run_id}


def test_a_dry_run_is_not_told(dagster):
    dagster.processed([ANN, BAD])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=True)

    for event in ("retention", "file-removed", "rejected-rows-purged"):
        assert entries(dagster.site, event) == []


def test_a_run_from_a_later_step_on_is_told_once_as_a_re_run(dagster):
    from cvms_pipeline.defs import resources

    upload_id = dagster.processed([ANN])
    tags = {"dagster/partition": upload_id}
    again = dg.DagsterRun(
        job_name="process_upload",
        parent_run_id="earlier",
        root_run_id="first",
        tags=tags,
    )

    for _ in range(2):
        resources.note_rerun(dagster.site.pipeline, again)

    (rerun,) = entries(dagster.site, "upload-rerun")
    assert (rerun.upload_id, rerun.run_id) == (upload_id, again.run_id)
    assert rerun.details == {"earlier_run": "earlier"}


def test_a_first_run_is_not_told_as_a_re_run(dagster):
    dagster.processed([ANN])

    assert entries(dagster.site, "upload-rerun") == []
    assert len(entries(dagster.site, "upload-loaded")) == 1
