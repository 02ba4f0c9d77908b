import logging

import celery
import dagster as dg
import pytest
import sqlalchemy as sa
from dagster_installations import counts
from installations import ANN, BAD, BOB

from cvms_pipeline.database import dagster_tables
from cvms_pipeline.defs import overview
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import history

# kombu's own models, which SQLAlchemy 2.1 finds old.
_OF_KOMBU = "ignore:The ``noload`` loader strategy is deprecated"
TODAY = dg.AssetKey("todays_uploads")
EVENTS = "Dagster events of removed partitions"
REPLACED = "Dagster events of earlier days that a later one replaced"
CHECKS = "Dagster check results of removed runs and earlier days"


def report_overview(dagster) -> None:
    state = history.read_overview(dagster.site.pipeline)
    dagster.instance.add_dynamic_partitions("days", [state.day.isoformat()])
    for event in overview.make_asset_events(state, logging.getLogger("test")):
        dagster.instance.report_runless_asset_event(event)


def materialized(dagster, asset: str) -> set[str]:
    return dagster.instance.get_materialized_partitions(dg.AssetKey(asset))


@pytest.fixture
def three(dagster) -> list[str]:
    """Three uploads that were run, of which two may stay."""
    return [dagster.processed([row]) for row in (ANN, BOB, BAD)]


def test_a_day_later_the_sensor_s_reports_of_removed_partitions_are_removed(
    dagster, three
):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    assert counts(shown)[EVENTS] == 1
    assert materialized(dagster, "upload") == set(three[1:])


def test_everything_that_the_ui_shows_of_live_partitions_is_kept(dagster, three):
    dagster.retain(dry_run=False)
    dagster.site.clock.forward(days=2)

    dagster.retain(dry_run=False)

    for asset in ("upload", "recipients", "error_report", "provider_notice"):
        assert materialized(dagster, asset) == set(three[1:])


def test_the_last_overview_of_each_day_is_kept(dagster):
    for _ in range(3):
        report_overview(dagster)
    dagster.site.clock.forward(days=2)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    events = dagster.instance.fetch_materializations(TODAY, limit=10)
    # Three materializations and three evaluations of two checks; one event of each
    # kind, and the last result of each check.
    assert counts(shown)[REPLACED] == 7
    assert len(events.records) == 1
    assert counts(shown)[CHECKS] == 4
    assert counts(shown)[EVENTS] == 0


def test_all_overviews_of_today_are_kept(dagster):
    for _ in range(3):
        report_overview(dagster)

    shown = dagster.retain(dry_run=False)["remove_leftovers"]

    assert counts(shown)[REPLACED] == 0


def test_the_check_results_of_removed_runs_are_removed(dagster, three):
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


def old() -> dict[str, object]:
    return {"before": loading.now(), "zone": "UTC"}


@pytest.mark.parametrize(
    "leftover", dagster_tables.LEFTOVERS, ids=lambda each: each.statement
)
def test_without_the_tables_of_dagster_and_celery_nothing_is_removed(bare, leftover):
    with bare.begin() as conn:
        assert dagster_tables.count_leftovers(conn, leftover, old()) == 0
        assert dagster_tables.remove_leftovers(conn, leftover, old(), limit=10) == 0


@pytest.mark.filterwarnings(_OF_KOMBU)
def test_only_delivered_messages_of_celery_are_removed(site, broker):
    with site.pipeline.store.begin() as conn:
        leftover = dagster_tables.LEFTOVERS[0]
        removed = dagster_tables.remove_leftovers(conn, leftover, old(), limit=10)

    assert removed == 1
    assert site.column("SELECT visible FROM celery.kombu_message") == [True]


def test_only_old_results_of_celery_are_removed(site, results):
    with site.pipeline.store.begin() as conn:
        leftover = dagster_tables.LEFTOVERS[1]
        removed = dagster_tables.remove_leftovers(conn, leftover, old(), limit=10)

    assert removed == 1
    assert site.column("SELECT task_id FROM celery.celery_taskmeta") == ["later"]


@pytest.fixture
def celery_app(site):
    url = loading.load().urls.schema("celery")
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
