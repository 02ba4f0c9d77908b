"""The instance that dagster.yaml describes, on a real Postgres."""

import contextlib
import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage import tags as tags_module
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from cvms_pipeline.database import schemas
from cvms_pipeline.run_engine import coordinator, launcher, storage
from cvms_pipeline.settings import loading

_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def test_dagster_yaml_is_understood(instance):
    queue = instance.get_concurrency_config().run_queue_config

    assert isinstance(instance.run_launcher, launcher.WorkerRunLauncher)
    assert isinstance(instance.run_coordinator, coordinator.FairRunCoordinator)
    assert isinstance(instance.compute_log_manager, NoOpComputeLogManager)
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled
    assert not instance.telemetry_enabled
    assert queue is not None
    assert queue.max_concurrent_runs == 6
    assert [limit["limit"] for limit in queue.tag_concurrency_limits] == [2, 1]


def test_the_ui_hides_the_id_of_a_run_s_task(instance):
    run = instance.add_run(dg.DagsterRun(job_name="retention"))

    instance.run_launcher._launch_celery_task_run(run, Accepted(), "any")

    tags = instance.get_run_by_id(run.run_id).tags
    assert tags == {".dagster/celery_task_id": "task"}
    assert tags_module.get_tag_type(next(iter(tags))) is tags_module.TagType.HIDDEN


class Accepted:
    """A task that a broker has accepted."""

    task_id = "task"

    def apply_async(self, **options):
        return self


END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def end_sessions(store) -> None:
    """Do to every open connection what a killed Postgres does."""
    with store.begin() as conn:
        conn.execute(sa.text(END_SESSIONS))


def test_the_web_server_shows_no_error_after_postgres_has_ended_its_sessions(
    instance, store
):
    instance.optimize_for_webserver(
        statement_timeout=15_000, pool_recycle=3600, max_overflow=20
    )
    instance.get_runs_count()
    end_sessions(store)

    counted = instance.get_runs_count()

    assert counted == 0
    with instance.event_log_storage._engine.connect() as conn:
        assert conn.scalar(sa.text("SHOW statement_timeout")) == "15s"


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # of kombu
def test_a_task_is_sent_after_postgres_has_ended_the_broker_s_sessions(instance, store):
    app = instance.run_launcher.celery
    app.send_task("any", queue="dagster")
    end_sessions(store)

    app.send_task("any", queue="dagster")

    with store.begin() as conn:
        sent = conn.scalar(sa.text("SELECT count(*) FROM celery.kombu_message"))
    assert sent == 2


def test_dagster_has_its_tables_in_a_schema_of_its_own(instance, store):
    instance.add_dynamic_partitions("uploads", ["u1"])

    with store.begin() as conn:
        found = conn.exec_driver_sql(
            "SELECT DISTINCT schemaname FROM pg_tables"
            " WHERE tablename IN ('runs', 'event_logs', 'dynamic_partitions')"
        )
        assert found.scalars().all() == [schemas.DAGSTER]


def test_times_are_found_again_whatever_the_time_zone_of_the_server(home, store):
    with store.begin() as conn:
        name = conn.scalar(sa.text("SELECT current_database()"))
        conn.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'")
    now = loading.now()
    minute = dt.timedelta(minutes=1)

    with dg.DagsterInstance.get() as opened:
        run = opened.add_run(dg.DagsterRun(job_name="retention"))
        found = opened.get_runs(
            dg.RunsFilter(updated_after=now - minute, updated_before=now + minute)
        )

    assert [each.run_id for each in found] == [run.run_id]


def test_an_instance_that_is_opened_again_opens_no_connection(instance, store):
    def ask_everything() -> int:
        with dg.DagsterInstance.get() as opened:
            opened.get_runs_count()
            opened.get_dynamic_partitions("uploads")
            opened.all_instigator_state()
        with store.begin() as conn:
            return int(conn.scalar(sa.text(_SESSIONS)))

    before = ask_everything()

    assert {ask_everything() for _ in range(3)} == {before}


def test_dagster_checks_once_what_its_tables_have(instance):
    asked = statements_of(instance)
    instance.report_runless_asset_event(dg.AssetMaterialization("upload"))
    asked.clear()

    instance.report_runless_asset_event(dg.AssetMaterialization("upload"))
    instance.get_runs_count()

    assert asked
    assert [each for each in asked if "pg_catalog" in each] == []


def test_a_missing_table_is_checked_for_again():
    answers = iter([False, True])
    has_table = storage._check_once(set(), "has_table", lambda _name: next(answers))

    assert [has_table("new"), has_table("new"), has_table("new")] == [False, True, True]


def test_storing_an_event_sends_no_notification(instance):
    with listening(instance) as connection:
        instance.report_runless_asset_event(dg.AssetMaterialization("upload"))
        connection.connection.poll()

        heard = list(connection.connection.notifies)

    assert heard == []
    assert instance.get_latest_materialization_event(dg.AssetKey("upload"))


def statements_of(instance) -> list[str]:
    """Return what is sent to Postgres from now on; a list that grows."""
    sent: list[str] = []
    sa.event.listen(
        instance.event_log_storage._engine,
        "before_cursor_execute",
        lambda _conn, _cursor, statement, *_more: sent.append(statement),
    )
    return sent


@contextlib.contextmanager
def listening(instance) -> Iterator[sa.Connection]:
    """Listen as a reader of an older version does."""
    engine = sa.create_engine(
        instance.event_log_storage.postgres_url, isolation_level="AUTOCOMMIT"
    )
    with contextlib.closing(engine.connect()) as connection:
        connection.exec_driver_sql("LISTEN run_events")
        yield connection
    engine.dispose()


def test_dagster_leaves_nothing_in_the_project_folder(instance, home):
    instance.get_runs_count()

    assert {path.name for path in home.iterdir()} <= {"dagster.yaml", "data"}
