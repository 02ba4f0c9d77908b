"""An installation's settings, and the Dagster instance that dagster.yaml describes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance import ref

from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path, database_url, monkeypatch) -> Path:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("CVMS_HOME", str(tmp_path))
    monkeypatch.setenv("CVMS_DATABASE_URL", database_url)
    monkeypatch.setenv("CVMS_WORKERS", "3")
    monkeypatch.setenv("CVMS_UNFINISHED_SECONDS", "0")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def chosen(home) -> loading.Settings:
    return loading.load()


@pytest.fixture
def instance(home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_ref(ref.InstanceRef.from_dir(str(home))) as opened:
        yield opened
