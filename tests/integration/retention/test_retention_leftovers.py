import celery
import dagster as dg
import pytest
import sqlalchemy as sa
from installations import ANN, BAD, BOB
from sites import counts

from cvms_pipeline import settings
from cvms_pipeline.defs import decisions
from cvms_pipeline.ingest import standing
from cvms_pipeline.store import neighbours

# kombu's own models, which SQLAlchemy 2.1 finds old.
_OF_KOMBU = "ignore:The ``noload`` loader strategy is deprecated"
TODAY = dg.AssetKey("todays_uploads")
EVENTS = "Dagster events of removed partitions"
REPLACED = "Dagster events of earlier days that a later one replaced"
CHECKS = "Dagster check results of removed runs and earlier days"


def report_overview(dagster) -> None:
    for event in decisions.how_it_stands(
        standing.today(dagster.site.pipeline), ui_url="http://dagster"
    ):
        dagster.instance.report_runless_asset_event(event)


def materialized(dagster, asset: str) -> set[str]:
    return dagster.instance.get_materialized_partitions(dg.AssetKey(asset))


@pytest.fixture
def three(dagster) -> list[str]:
    """Three uploads that were run, of which two may stay."""
    return [dagster.processed([row]) for row in (ANN, BOB, BAD)]


def test_a_day_later_what_the_sensor_said_of_removed_partitions_goes(dagster, three):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    assert counts(shown)[EVENTS] == 1
    assert materialized(dagster, "upload") == set(three[1:])


def test_nothing_that_is_shown_of_live_partitions_goes(dagster, three):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    dagster.retain(dry_run=False)

    for asset in ("upload", "recipients", "error_report", "provider_notice"):
        assert materialized(dagster, asset) == set(three[1:])


def test_of_the_overviews_of_a_day_the_last_one_stays(dagster):
    for _ in range(3):
        report_overview(dagster)
    dagster.site.clock.forward(days=2)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    events = dagster.instance.fetch_materializations(TODAY, limit=10)
    # Three materializations and three evaluations of the standing check; one of each.
    assert counts(shown)[REPLACED] == 4
    assert len(events.records) == 1
    assert counts(shown)[CHECKS] == 2


def test_the_overviews_of_today_all_stay(dagster):
    for _ in range(3):
        report_overview(dagster)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    assert counts(shown)[REPLACED] == 0


def test_the_check_results_of_removed_runs_go(dagster, three):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    dagster.retain(dry_run=False)

    left = dagster.site.column(
        "SELECT DISTINCT run_id FROM dagster.asset_check_executions"
    )
    assert len(left) == 2
    assert dagster.instance.get_run_ids(dg.RunsFilter(run_ids=left))


def test_a_dry_run_counts_the_leftovers_and_leaves_them(dagster, three):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    shown = dagster.retain()["remove_leftovers"]

    assert counts(shown, "found")[EVENTS] == 1
    assert counts(shown)[EVENTS] == 0
    assert materialized(dagster, "upload") == set(three)


def old() -> neighbours.Old:
    return neighbours.Old(before=settings.now(), partitions="uploads", zone="UTC")


@pytest.mark.parametrize("leftover", neighbours.ALL, ids=lambda each: each.statement)
def test_where_a_neighbour_has_no_tables_nothing_is_done(bare, leftover):
    with bare.begin() as conn:
        assert neighbours.count(conn, leftover, old()) == 0
        assert neighbours.remove(conn, leftover, old(), limit=10) == 0


@pytest.mark.filterwarnings(_OF_KOMBU)
def test_of_celerys_messages_only_the_delivered_ones_go(site, broker):
    with site.pipeline.store.begin() as conn:
        removed = neighbours.remove(conn, neighbours.ALL[0], old(), limit=10)

    assert removed == 1
    assert site.column("SELECT visible FROM celery.kombu_message") == [True]


def test_of_celerys_results_only_the_old_ones_go(site, results):
    with site.pipeline.store.begin() as conn:
        removed = neighbours.remove(conn, neighbours.ALL[1], old(), limit=10)

    assert removed == 1
    assert site.column("SELECT task_id FROM celery.celery_taskmeta") == ["later"]


@pytest.fixture
def celery_app(site):
    url = settings.load().schema_url("celery")
    return celery.Celery(broker=f"sqla+{url}", backend=f"db+{url}")


@pytest.fixture
def broker(celery_app) -> None:
    """A queue with one message that was delivered and one that was not."""
    with celery_app.connection_for_write() as connection:
        queue = connection.SimpleQueue("dagster")
        queue.put("first")
        queue.put("second")
        queue.get(timeout=5).ack()
        queue.close()


@pytest.fixture
def results(celery_app, site) -> None:
    """A result of an hour ago, and one that is still to come."""
    for task_id in ("earlier", "later"):
        celery_app.backend.store_result(task_id, None, "SUCCESS")
    with site.pipeline.store.begin() as conn:
        conn.execute(
            sa.text(
                "UPDATE celery.celery_taskmeta SET date_done = date_done"
                " + CASE task_id WHEN 'later' THEN 1 ELSE -1 END * interval '1 hour'"
            )
        )
