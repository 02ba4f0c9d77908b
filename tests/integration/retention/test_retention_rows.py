import pytest
from dagster_installations import LIMITS, finished
from installations import ANN, BAD, BOB

from cvms_pipeline.files import archive
from cvms_pipeline.maintenance import retention
from cvms_pipeline.store import loading, rejected_rows, uploads
from cvms_pipeline.use_cases import process, publish


def purge(site, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    results = retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=dry_run)
    return {each.what: (each.found, each.removed) for each in results}


@pytest.fixture
def old(site) -> str:
    """An upload with one row loaded and two rejected, finished long ago."""
    upload_id = finished(site, [ANN, BAD, BAD])
    site.clock.forward(days=91)
    return upload_id


def rows(site, upload_id: str) -> int:
    with site.pipeline.store.begin() as conn:
        return len(rejected_rows.read(conn, upload_id))


def test_rejected_rows_and_their_report_are_removed_after_their_days(site, old):
    assert purge(site) == {"Rejected rows": (2, 2), "Error reports": (1, 1)}

    assert rows(site, old) == 0
    with pytest.raises(archive.ReportMissing):
        site.pipeline.reports.read(old)


def test_the_row_of_the_upload_is_kept(site, old):
    before = site.upload(old)

    purge(site)

    after = site.upload(old)
    assert (after.rows, after.loaded, after.rejected) == (3, 1, 2)
    assert after.reasons == before.reasons
    assert after.status is before.status
    assert after.purged_at is not None


def test_rejected_rows_are_kept_until_they_are_old_enough(site):
    upload_id = finished(site, [BAD])
    site.clock.forward(days=89)

    assert purge(site)["Rejected rows"] == (0, 0)
    assert rows(site, upload_id) == 1


def test_a_dry_run_counts_and_leaves_everything(site, old):
    before = site.everything()

    assert purge(site, dry_run=True) == {
        "Rejected rows": (2, 0),
        "Error reports": (1, 0),
    }
    assert site.everything() == before
    assert site.upload(old).purged_at is None


def test_rejected_rows_are_kept_while_their_notice_waits(site, old):
    site.execute(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'notice'"
    )

    assert purge(site)["Rejected rows"] == (0, 0)
    assert rows(site, old) == 2


def test_rejected_rows_of_a_failed_upload_are_kept(site, old):
    site.execute(
        "UPDATE cvms.uploads SET status = 'failed', failed_at = now(),"
        " finished_at = NULL"
    )

    assert purge(site)["Rejected rows"] == (0, 0)
    assert rows(site, old) == 2


def test_a_second_night_finds_nothing_more(site, old):
    purge(site)

    assert purge(site) == {"Rejected rows": (0, 0), "Error reports": (0, 0)}


def test_more_uploads_than_one_transaction_handles_are_all_purged(site, monkeypatch):
    monkeypatch.setattr(retention, "_PURGE_BATCH", 1)
    for _ in range(3):
        finished(site, [BAD])
    site.clock.forward(days=91)

    assert purge(site)["Error reports"] == (3, 3)


def test_every_line_of_a_purged_upload_is_still_accounted_for(site, old):
    purge(site)

    with site.pipeline.store.begin() as conn:
        assert loading.count_accounted_lines(conn, uploads.get(conn, old)) == 3


def test_running_a_purged_upload_again_changes_nothing(site, old):
    purge(site)
    before = site.everything()

    loaded: process.Loaded = site.process(old)

    assert loaded.accounted_for == loaded.outcome.rows == 3
    assert site.everything() == before


def test_publishing_a_purged_upload_keeps_the_provider_s_report_and_reports_it(
    site, old
):
    purge(site)

    published = publish.publish(site.pipeline, old)

    assert published.purged_at == site.upload(old).purged_at
    assert (published.rows, published.path) == (2, None)
    assert site.results() == ["BulkError.csv", "receipt.txt"]


def test_an_upload_without_rejected_rows_is_not_marked(site):
    upload_id = finished(site, [BOB])
    site.clock.forward(days=91)

    purge(site)

    assert site.upload(upload_id).purged_at is None


def test_cells_beyond_the_header_are_removed_with_their_rows(site):
    upload_id = finished(site, ["Rufus,Marsh, Jr.,4/11/1961,rufus@b.example.org"])
    kept = "SELECT extra_cells FROM cvms.rejected_rows"
    assert site.column(kept) == ['["rufus@b.example.org"]']
    site.clock.forward(days=91)

    purge(site)

    assert site.column(kept) == []
    assert "rufus" not in site.table("SELECT * FROM cvms.uploads").to_csv().lower()
    assert site.upload(upload_id).purged_at is not None


def test_nothing_that_somebody_typed_is_left_in_the_remarks(site):
    upload_id = finished(site, [ANN, BAD, *["Wanda,,,"] * 12])
    site.clock.forward(days=91)

    purge(site)

    assert len(site.upload(upload_id).remarks) == 1
    assert "Wanda" not in site.table("SELECT * FROM cvms.uploads").to_csv()
