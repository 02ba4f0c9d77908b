"""The instance that dagster.yaml describes, on a real Postgres."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance import ref
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

from cvms_pipeline.defs import coordinator, launcher, storage
from cvms_pipeline.store import presence

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path, database_url, monkeypatch) -> Path:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("CVMS_HOME", str(tmp_path))
    monkeypatch.setenv("CVMS_DATABASE_URL", database_url)
    monkeypatch.setenv("CVMS_WORKERS", "3")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opened(home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_ref(ref.InstanceRef.from_dir(str(home))) as instance:
        yield instance


def test_dagster_yaml_is_understood(opened, home):
    assert isinstance(opened.run_launcher, launcher.WorkerRunLauncher)
    assert isinstance(opened.run_coordinator, coordinator.FairRunCoordinator)
    assert isinstance(opened.compute_log_manager, NoOpComputeLogManager)
    assert opened.run_monitoring_enabled
    assert opened.run_retries_enabled
    assert not opened.telemetry_enabled
    queue = opened.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 6
    assert queue.tag_concurrency_limits == coordinator.fair(3)


def test_dagster_s_tables_are_in_a_schema_of_their_own_and_connections_stay_open(
    opened, home, store
):
    opened.add_dynamic_partitions("uploads", ["u1"])
    opened.get_runs_count()

    pools = [
        part._engine.pool.__class__.__name__
        for part in (
            opened.event_log_storage,
            opened.run_storage,
            opened.schedule_storage,
        )
    ]
    with store.begin() as conn:
        found = conn.exec_driver_sql(
            "SELECT DISTINCT schemaname FROM pg_tables"
            " WHERE tablename IN ('runs', 'event_logs', 'dynamic_partitions')"
        )
        assert found.scalars().all() == [storage.SCHEMA]
    assert "NullPool" not in pools


def test_nothing_of_dagster_is_strewn_over_the_project_folder(opened, home):
    opened.get_runs_count()

    assert {path.name for path in home.iterdir()} <= {"dagster.yaml", "data"}


def test_a_lock_tells_whether_a_run_is_worked_on(home, store):
    with presence.held(store, "the-run"):
        assert launcher._is_worked_on("the-run")
        assert not launcher._is_worked_on("another")

    assert not launcher._is_worked_on("the-run")
