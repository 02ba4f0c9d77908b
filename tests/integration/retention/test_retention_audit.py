"""What retention and re-runs leave in the audit."""

import dagster as dg
from installations import ANN, BAD, BOB

from cvms_pipeline.store import audit
from cvms_pipeline.use_cases import process


def entries(site, event):
    with site.pipeline.store.begin() as conn:
        found = audit.list_entries(conn, limit=100)
    return [entry for entry in found if entry.event == event]


def test_the_audit_names_each_upload_whose_rows_and_file_were_removed(dagster):
    upload_id = dagster.processed([ANN, BAD])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=False)

    (purged,) = entries(dagster.site, "rejected-rows-purged")
    (removed,) = entries(dagster.site, "file-removed")
    assert (purged.upload_id, purged.details) == (upload_id, {"rows": 1})
    assert (removed.upload_id, removed.provider) == (upload_id, "mercy")
    assert removed.details == {"what": "Files in the archive"}


def test_the_audit_has_the_totals_with_the_run_that_removed_them(dagster):
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


def test_a_dry_run_writes_no_audit_entry(dagster):
    dagster.processed([ANN, BAD])
    dagster.site.clock.forward(days=400)

    dagster.retain(dry_run=True)

    for event in ("retention", "file-removed", "rejected-rows-purged"):
        assert entries(dagster.site, event) == []


def test_a_run_from_a_later_step_is_recorded_once_as_a_re_run(dagster):
    upload_id = dagster.processed([ANN])

    for _ in range(2):
        process.record_rerun(
            dagster.site.pipeline, upload_id, run_id="again", earlier_run="earlier"
        )

    (rerun,) = entries(dagster.site, "upload-rerun")
    assert (rerun.upload_id, rerun.run_id) == (upload_id, "again")
    assert rerun.details == {"earlier_run": "earlier"}


def test_a_first_run_is_not_recorded_as_a_re_run(dagster):
    dagster.processed([ANN])

    assert entries(dagster.site, "upload-rerun") == []
    assert len(entries(dagster.site, "upload-loaded")) == 1
