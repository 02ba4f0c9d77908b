"""Two installations: one that is backed up, and a fresh one."""

from collections.abc import Iterator

import backup_installations
import dagster_postgres.storage
import installations
import pytest


@pytest.fixture(scope="session")
def with_dagster_tables(postgres, template) -> str:
    """A database in which Dagster has made its tables, to be cloned."""
    postgres.execute(f"CREATE DATABASE with_dagster_tables TEMPLATE {template}")
    url = f"{postgres.url('with_dagster_tables')}&options=-csearch_path%3Ddagster"
    dagster_postgres.storage.DagsterPostgresStorage(postgres_url=url)
    return "with_dagster_tables"


@pytest.fixture
def database_url(postgres, with_dagster_tables) -> Iterator[str]:
    with postgres.database(with_dagster_tables) as url:
        yield url


@pytest.fixture
def site(tmp_path, database_url, monkeypatch) -> Iterator[installations.Installation]:
    opened = installations.opened(tmp_path / "old", database_url, monkeypatch)
    yield opened
    opened.pipeline.close()


@pytest.fixture
def fresh(tmp_path, empty_database_url) -> Iterator[backup_installations.Fresh]:
    """An installation in which nothing has ever been."""
    made = backup_installations.fresh(tmp_path / "new", empty_database_url)
    yield made
    made.store.close()


@pytest.fixture
def vault(tmp_path, site, database_url) -> backup_installations.Vault:
    """Where backups of the site go."""
    return backup_installations.Vault(
        site=site, url=database_url, path=tmp_path / "backup"
    )
