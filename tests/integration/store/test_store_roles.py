"""The role as which the services work: what it may do, and what it may not."""

import contextlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from desks import Desk, clinic

from cvms_pipeline.store import engine, providers, roles, tables

ANN, BAD = "Ann,Lee,1/2/1990,ann@b.org", "Cy,,13/1/1991,cy@b.org"
NAME = "services of mercy"
SERVICE = roles.Service(name=NAME, password="p'w", is_ours=True)


def as_service(url: str) -> str:
    return (
        sa.make_url(url).set(username=NAME).render_as_string(hide_password=False)
    ).replace("postgresql+psycopg2", "postgresql")


@pytest.fixture
def services(database_url) -> Iterator[engine.Store]:
    """A store as the services' role sees it, in a database of the owner's."""
    engine.upgrade(database_url, SERVICE)
    with contextlib.closing(engine.Store(as_service(database_url))) as opened:
        yield opened


def allowed(store, statement):
    """Return None, or the SQLSTATE with which the database says no."""
    try:
        with store.begin() as conn:
            conn.execute(sa.text(statement))
    except engine.StoreError as error:
        return error.state
    return None


def test_the_services_role_does_all_that_the_pipeline_needs(services):
    desk = Desk(store=services)
    with services.begin() as conn:
        providers.add(conn, clinic("mercy"))

    first = desk.bring([ANN, BAD])
    second = desk.bring([ANN.replace("ann@", "other@")])

    assert (first.loaded, first.rejected, second.updated) == (1, 1, 1)


FORBIDDEN = [
    "DROP TABLE cvms.recipients",
    "TRUNCATE cvms.messages",
    "ALTER TABLE cvms.uploads DROP COLUMN file_name",
    "ALTER TABLE cvms.audit DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON cvms.audit",
    "CREATE TABLE cvms.mine (x int)",
    "CREATE TABLE dagster.mine (x int)",
    "CREATE TABLE celery.mine (x int)",
    "DELETE FROM cvms.uploads",
    "DELETE FROM cvms.recipients",
    "DELETE FROM cvms.recipient_changes",
    "UPDATE cvms.audit SET actor = 'x'",
    "DELETE FROM cvms.audit",
    # An entry of the past, or in another's name.
    "INSERT INTO cvms.audit (event, happened_at) VALUES ('retention', 'epoch')",
    "INSERT INTO cvms.audit (event, database_role) VALUES ('retention', 'x')",
    "DROP SCHEMA cvms CASCADE",
    "CREATE ROLE another",
    "SET ROLE postgres",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_services_role_may_not(services, statement):
    assert allowed(services, statement) == "42501"  # insufficient privilege


def test_every_table_has_its_rights(store):
    with store.begin() as conn:
        names = sa.inspect(conn).get_table_names(schema="cvms")

    assert set(roles.GRANTS) == set(names)
    assert {f"cvms.{name}" for name in roles.GRANTS} >= set(tables.METADATA.tables)


def test_a_table_that_dagster_gets_later_is_written_as_freely(services, store):
    assert allowed(store, "CREATE TABLE dagster.later (x serial)") is None

    for each in (
        "INSERT INTO dagster.later DEFAULT VALUES",
        "DELETE FROM dagster.later",
    ):
        assert allowed(services, each) is None
    assert allowed(services, "DROP TABLE dagster.later") == "42501"


def test_letting_in_twice_changes_nothing(services, database_url):
    engine.upgrade(database_url, SERVICE)

    assert engine.is_current(database_url, SERVICE)


def test_the_newest_tables_are_not_enough_where_the_role_was_not_let_in(database_url):
    stranger = roles.Service(name="nobody yet", password=None, is_ours=True)

    assert engine.is_current(database_url)
    assert not engine.is_current(database_url, stranger)


def test_one_role_for_both_is_left_as_it_is(database_url):
    both = roles.of_url(database_url, is_ours=False)

    engine.upgrade(database_url, both)

    assert engine.is_current(database_url, both)


def test_a_missing_role_that_may_not_be_made_is_told_with_how_to_make_it(
    services, store
):
    missing = roles.Service(name="missing", password="canary", is_ours=False)

    with (
        services.begin() as conn,
        pytest.raises(roles.RoleMissing, match="CREATE ROLE missing") as raised,
    ):
        roles.let_in(conn, missing)

    assert "canary" not in str(raised.value)


def test_a_role_that_owns_tables_is_not_let_in_as_if_it_could_not_drop_them(store):
    mighty = roles.Service(name="mighty", password=None, is_ours=True)

    with store.engine.connect() as conn:  # and never committed
        conn.exec_driver_sql("CREATE ROLE mighty SUPERUSER")
        with pytest.raises(roles.RoleTooMighty, match="mighty"):
            roles.let_in(conn, mighty)


def test_a_password_reaches_no_statement(store):
    sent = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda *facts: sent.append(facts[2])
    )
    canary = roles.Service(name="keeper", password="canary-password", is_ours=True)

    with store.begin() as conn:
        roles.let_in(conn, canary)
        conn.exec_driver_sql("DROP OWNED BY keeper")
        conn.exec_driver_sql("DROP ROLE keeper")

    assert any("SCRAM-SHA-256" in statement for statement in sent)
    assert not any("canary" in statement for statement in sent)
