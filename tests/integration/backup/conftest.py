"""Two installations: one that is backed up, and a fresh one."""

from collections.abc import Iterator

import dagster_postgres.storage
import installations
import pytest
import vaults


@pytest.fixture(scope="session")
def with_neighbours(postgres, template) -> str:
    """A database in which Dagster has made its tables, to be cloned."""
    postgres.execute(f"CREATE DATABASE with_neighbours TEMPLATE {template}")
    url = f"{postgres.url('with_neighbours')}&options=-csearch_path%3Ddagster"
    dagster_postgres.storage.DagsterPostgresStorage(postgres_url=url)
    return "with_neighbours"


@pytest.fixture
def database_url(postgres, with_neighbours) -> Iterator[str]:
    with postgres.database(with_neighbours) as url:
        yield url


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path / "old", database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def fresh(tmp_path, empty_database_url) -> Iterator[vaults.Fresh]:
    """An installation in which nothing has ever been."""
    made = vaults.fresh(tmp_path / "new", empty_database_url)
    yield made
    made.target.store.close()


@pytest.fixture
def vault(tmp_path, site, database_url) -> vaults.Vault:
    """Where backups of the site go."""
    return vaults.Vault(site=site, url=database_url, path=tmp_path / "backup.tar")
