"""Commands on an embedded database that an earlier version has left behind."""

import contextlib

import pytest
import sqlalchemy as sa

from cvms_pipeline import settings
from cvms_pipeline.cli import access
from cvms_pipeline.local import postgres
from cvms_pipeline.store import engine, providers, roles


@pytest.fixture
def left_behind(tmp_path, monkeypatch) -> settings.Settings:
    """A data folder as before there was a role of the services."""
    monkeypatch.delenv("CVMS_DATABASE_URL", raising=False)
    chosen = settings.load(home=tmp_path)
    with postgres.running(chosen.data) as server:
        engine.upgrade(server.url)
    for path in (
        chosen.data / "postgres" / "service_password",
        chosen.embedded_owner_url_file,
    ):
        path.unlink()
    return chosen


def test_a_command_lets_the_services_role_in_by_itself(left_behind):
    with access.opened(left_behind) as store, store.begin() as conn:
        me = conn.scalar(sa.text("SELECT session_user"))
        assert providers.list_all(conn) == []

    assert me == "cvms_service"


def test_the_next_command_makes_no_second_migration(left_behind, monkeypatch):
    with access.opened(left_behind):
        pass
    monkeypatch.setattr(engine, "upgrade", None)

    with access.opened(left_behind) as store, store.begin() as conn:
        assert providers.list_all(conn) == []


def test_with_two_urls_the_commands_use_the_services_and_migrate_as_the_owner(
    empty_database_url, tmp_path, monkeypatch
):
    owner = empty_database_url.replace("postgresql+psycopg2", "postgresql")
    service = owner.replace("postgres@", "two_urls@")
    chosen = settings.load(
        home=tmp_path, database_url=service, migration_database_url=owner
    )

    with access.running(chosen) as url:
        engine.upgrade(url, access.service(chosen))

    with access.opened(chosen) as store, store.begin() as conn:
        assert conn.scalar(sa.text("SELECT session_user")) == "two_urls"
    with contextlib.closing(engine.Store(url)) as store, store.begin() as conn:
        mine = roles.of_url(service, is_ours=False)
        assert mine is not None
        assert roles.may_work(conn, mine)
