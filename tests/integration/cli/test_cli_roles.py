"""Commands on an embedded database that an earlier version has left behind."""

import contextlib

import pytest
import sqlalchemy as sa

from cvms_pipeline import bootstrap
from cvms_pipeline.cli import running
from cvms_pipeline.database import engine, revisions, roles
from cvms_pipeline.local.postgres import sharing
from cvms_pipeline.settings import loading
from cvms_pipeline.store import providers


@pytest.fixture
def left_behind(tmp_path, monkeypatch) -> loading.Settings:
    """A data folder as before there was a role of the services."""
    monkeypatch.delenv("CVMS_DATABASE_URL", raising=False)
    chosen = loading.load(home=tmp_path)
    with sharing.use_server(chosen.folders.data) as server:
        revisions.upgrade(server.url)
    for path in (
        chosen.folders.data / "postgres" / "service_password",
        chosen.urls.embedded_owner_file,
    ):
        path.unlink()
    return chosen


def test_a_command_grants_the_services_role_access(left_behind):
    with running.open_pipeline(left_behind) as opened, opened.store.begin() as conn:
        me = conn.scalar(sa.text("SELECT session_user"))
        assert providers.list_all(conn) == []

    assert me == "cvms_service"


def test_the_next_command_does_not_migrate_again(left_behind, monkeypatch):
    with running.open_pipeline(left_behind):
        pass
    monkeypatch.setattr(revisions, "upgrade", None)

    with running.open_pipeline(left_behind) as opened, opened.store.begin() as conn:
        assert providers.list_all(conn) == []


def test_with_two_urls_the_commands_use_the_services_and_migrate_as_the_owner(
    empty_database_url, tmp_path, monkeypatch
):
    owner = empty_database_url.replace("postgresql+psycopg2", "postgresql")
    service = owner.replace("postgres@", "two_urls@")
    chosen = loading.load(
        home=tmp_path, database_url=service, migration_database_url=owner
    )

    with running.run_database(chosen):
        bootstrap.migrate(chosen)

    with running.open_pipeline(chosen) as opened, opened.store.begin() as conn:
        assert conn.scalar(sa.text("SELECT session_user")) == "two_urls"
    with contextlib.closing(engine.Store(owner)) as store, store.begin() as conn:
        mine = roles.Service.from_url(service, is_ours=False)
        assert mine is not None
        assert mine.has_access(conn)
