import pytest
from installations import ANN, BAD, BOB
from sites import LIMITS, finished

from cvms_pipeline.files import reports
from cvms_pipeline.ingest import load, publish, retention
from cvms_pipeline.store import rejected, tally


def purge(site, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    swept = retention.purge_rejected_rows(site.pipeline, LIMITS, dry_run=dry_run)
    return {each.what: (each.found, each.removed) for each in swept}


@pytest.fixture
def old(site) -> str:
    """An upload with one row loaded and two rejected, finished long ago."""
    upload_id = finished(site, [ANN, BAD, BAD])
    site.clock.forward(days=91)
    return upload_id


def rows(site, upload_id: str) -> int:
    with site.pipeline.store.begin() as conn:
        return len(rejected.of_upload(conn, upload_id))


def test_rejected_rows_go_after_their_days_with_the_report_made_of_them(site, old):
    assert purge(site) == {"Rejected rows": (2, 2), "Error reports": (1, 1)}

    assert rows(site, old) == 0
    with pytest.raises(reports.ReportMissing):
        site.pipeline.reports.read(old)


def test_what_the_tables_say_of_the_upload_stays(site, old):
    before = site.upload(old)

    purge(site)

    after = site.upload(old)
    assert (after.rows, after.loaded, after.rejected) == (3, 1, 2)
    assert after.reasons == before.reasons
    assert after.status is before.status
    assert after.purged_at is not None


def test_rows_that_are_not_old_enough_stay(site):
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


def test_rows_whose_report_is_still_to_be_sent_stay(site, old):
    site.execute(
        "UPDATE cvms.messages SET status = 'waiting', sent_at = NULL"
        " WHERE kind = 'notice'"
    )

    assert purge(site)["Rejected rows"] == (0, 0)
    assert rows(site, old) == 2


def test_rows_of_a_failed_upload_stay(site, old):
    site.execute(
        "UPDATE cvms.uploads SET status = 'failed', failed_at = now(),"
        " finished_at = NULL"
    )

    assert purge(site)["Rejected rows"] == (0, 0)
    assert rows(site, old) == 2


def test_a_second_night_finds_nothing_more(site, old):
    purge(site)

    assert purge(site) == {"Rejected rows": (0, 0), "Error reports": (0, 0)}


def test_more_uploads_than_one_transaction_takes_are_all_purged(site, monkeypatch):
    monkeypatch.setattr(retention, "_UPLOADS_A_TRANSACTION", 1)
    for _ in range(3):
        finished(site, [BAD])
    site.clock.forward(days=91)

    assert purge(site)["Error reports"] == (3, 3)


def test_every_line_of_a_purged_upload_is_still_accounted_for(site, old):
    purge(site)

    with site.pipeline.store.begin() as conn:
        assert tally.accounted_for(conn, old) == 3


def test_running_a_purged_upload_again_changes_nothing(site, old):
    purge(site)
    before = site.everything()

    loaded: load.Loaded = site.process(old)

    assert loaded.accounted_for == loaded.outcome.rows == 3
    assert site.everything() == before


def test_publishing_a_purged_upload_leaves_the_providers_report_and_says_so(site, old):
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
