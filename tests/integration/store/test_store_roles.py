"""The role as which the services work: what it may do, and what it may not."""

import contextlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from upload_steps import NOW, Desk, clinic

from cvms_pipeline.database import engine, revisions, roles
from cvms_pipeline.domain.vocabulary import registration
from cvms_pipeline.store import providers
from cvms_pipeline.store.chain import withdrawals
from cvms_pipeline.store.recipient_access import access, registrations
from cvms_pipeline.store.removals import erasing

ANN, BAD = "Ann,Lee,1/2/1990,ann@b.org", "Cy,,13/41/1991,cy@b.org"
NAME = "services of mercy"
SERVICE = roles.Service(name=NAME, password="p'w", is_ours=True)


def as_service(url: str) -> str:
    return (
        sa.make_url(url).set(username=NAME).render_as_string(hide_password=False)
    ).replace("postgresql+psycopg2", "postgresql")


@pytest.fixture
def services(database_url) -> Iterator[engine.Store]:
    """A store as the services' role sees it, in a database of the owner's."""
    revisions.upgrade(database_url, SERVICE)
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


def test_the_services_role_keeps_and_forgets_a_registration(services):
    desk = Desk(store=services)
    with services.begin() as conn:
        providers.add(conn, clinic("mercy"))
    desk.bring([ANN])
    (mine,) = desk.column("SELECT id::text FROM cvms.recipients")
    texts = dict.fromkeys(registration.FIELDS, "x")
    answers = registration.Answers(**{**texts, "races": ("white",)})

    with services.begin() as conn:
        assert access.use_link(conn, mine, link_id=mine, email="ann@b.org", now=NOW)
        access.deny(conn, mine, now=NOW)
        for _ in range(2):
            registrations.save(conn, mine, answers, now=NOW)
            facts = {"step": "detail", "answers": {}, "now": NOW}
            registrations.save_draft(conn, mine, **facts)
        access.mark_registered(conn, mine, now=NOW)
        registrations.drop_draft(conn, mine)

    assert desk.column("SELECT city FROM cvms.registrations") == ["x"]


def test_the_services_role_withdraws_an_upload_as_the_owner_does(services):
    desk = Desk(store=services)
    with services.begin() as conn:
        providers.add(conn, clinic("mercy"))
    desk.bring([ANN, BAD])
    desk.bring([ANN.replace("ann@", "other@"), BAD.replace(",,", ",Lee,")])

    with services.begin() as conn:
        withdrawals.withdraw(conn, "upload-2", why="wrong", now=NOW)
        withdrawals.withdraw(conn, "upload-1", why="wrong", now=NOW)

    assert desk.column("SELECT count(*) FROM cvms.recipients") == [0]


def test_the_services_role_removes_and_erases_a_recipient(services):
    desk = Desk(store=services)
    with services.begin() as conn:
        providers.add(conn, clinic("mercy"))
    desk.bring([ANN, BAD])
    desk.bring([ANN])

    recipient_id = desk.remove("Ann")
    with services.begin() as conn:
        assert erasing.erase(conn, recipient_id, now=NOW) == ["upload-2"]

    assert desk.column("SELECT email FROM cvms.recipients") == [""]


def test_nobody_else_may_withdraw_an_upload_or_erase_anybody(services):
    shared = (
        "SELECT count(*) FROM information_schema.routine_privileges"
        " WHERE routine_name IN ('withdraw', 'erase') AND grantee = 'PUBLIC'"
    )
    with services.begin() as conn:
        assert conn.scalar(sa.text(shared)) == 0


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
    "DELETE FROM cvms.messages",
    "UPDATE cvms.rejected_rows SET email = 'x'",
    # These need the rights of the owner, which only cvms.withdraw has.
    "SELECT cvms.undo_corrections('x', now())",
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


def test_every_table_can_be_read_and_written_in_some_way(services, store):
    rights = (
        "SELECT table_name, bool_or(privilege_type = 'SELECT') AS can_read,"
        " bool_or(privilege_type IN ('INSERT', 'UPDATE')) AS can_write"
        " FROM information_schema.column_privileges"
        " WHERE table_schema = 'cvms' AND grantee = :role GROUP BY table_name"
    )
    with store.begin() as conn:
        names = sa.inspect(conn).get_table_names(schema="cvms")
        found = conn.execute(sa.text(rights), {"role": NAME}).all()

    assert {row.table_name for row in found if row.can_read} == set(names)
    assert {row.table_name for row in found if row.can_write} == {
        name for name in names if name != "alembic_version"
    }


def test_a_later_table_of_dagster_can_be_written_by_the_services(services, store):
    assert allowed(store, "CREATE TABLE dagster.later (x serial)") is None

    for each in (
        "INSERT INTO dagster.later DEFAULT VALUES",
        "DELETE FROM dagster.later",
    ):
        assert allowed(services, each) is None
    assert allowed(services, "DROP TABLE dagster.later") == "42501"


def test_granting_access_twice_changes_nothing(services, database_url):
    revisions.upgrade(database_url, SERVICE)

    assert revisions.is_current(database_url, SERVICE)


def test_a_database_is_not_current_until_the_role_has_access(database_url):
    stranger = roles.Service(name="nobody yet", password=None, is_ours=True)

    assert revisions.is_current(database_url)
    assert not revisions.is_current(database_url, stranger)


def test_one_role_for_both_gets_no_grants(database_url):
    both = roles.Service.from_url(database_url, is_ours=False)

    revisions.upgrade(database_url, both)

    assert revisions.is_current(database_url, both)


def test_a_missing_role_is_reported_with_the_statement_that_creates_it(services, store):
    missing = roles.Service(name="missing", password="canary", is_ours=False)

    with (
        services.begin() as conn,
        pytest.raises(roles.RoleMissing, match="CREATE ROLE missing") as raised,
    ):
        roles.grant_access(conn, missing)

    assert "canary" not in str(raised.value)


def test_a_services_role_that_owns_tables_is_refused(store):
    mighty = roles.Service(name="mighty", password=None, is_ours=True)

    with store.engine.connect() as conn:  # and never committed
        conn.exec_driver_sql("CREATE ROLE mighty SUPERUSER")
        with pytest.raises(roles.RoleOverprivileged, match="mighty"):
            roles.grant_access(conn, mighty)


def test_a_password_reaches_no_statement(store):
    sent = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda *facts: sent.append(facts[2])
    )
    canary = roles.Service(name="keeper", password="canary-password", is_ours=True)

    with store.begin() as conn:
        roles.grant_access(conn, canary)
        conn.exec_driver_sql("DROP OWNED BY keeper")
        conn.exec_driver_sql("DROP ROLE keeper")

    assert any("SCRAM-SHA-256" in statement for statement in sent)
    assert not any("canary" in statement for statement in sent)
