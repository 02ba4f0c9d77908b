"""An installation with a real Dagster instance in the same database."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import dagster_installations
import dagster_postgres.storage
import installations
import pytest

from cvms_pipeline.database import engine

_HERE = Path(__file__).parent
# Dagster's own, on every look at a resource.
_OF_DAGSTER = "ignore:The `__fields__` attribute is deprecated"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(_OF_DAGSTER))


@pytest.fixture(scope="session")
def with_dagster(postgres, template) -> str:
    """A database in which Dagster has made its tables, to be cloned."""
    postgres.execute(f"CREATE DATABASE with_dagster TEMPLATE {template}")
    url = f"{postgres.url('with_dagster')}&options=-csearch_path%3Ddagster"
    dagster_postgres.storage.DagsterPostgresStorage(postgres_url=url)
    return "with_dagster"


@pytest.fixture
def database_url(postgres, with_dagster) -> Iterator[str]:
    with postgres.database(with_dagster) as url:
        yield url


@pytest.fixture
def bare(postgres, template) -> Iterator[engine.Store]:
    """A store in whose database nobody else has made tables."""
    with (
        postgres.database(template) as url,
        contextlib.closing(engine.Store(url)) as opened,
    ):
        yield opened


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path, database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def dagster(site) -> Iterator[dagster_installations.Dagster]:
    """Dagster on the storage of the product, its tables in the test's database."""
    storage = {
        "module": "cvms_pipeline.run_engine.storage",
        "class": "PooledPostgresStorage",
        "config": {},
    }
    with dg.instance_for_test(overrides={"storage": {"custom": storage}}) as instance:
        yield dagster_installations.Dagster(site=site, instance=instance)
