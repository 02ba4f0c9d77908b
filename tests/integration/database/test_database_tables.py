import threading

import alembic.autogenerate
import alembic.runtime.migration
import sqlalchemy as sa

from cvms_pipeline.database import revisions, schemas, tables


def test_the_migrations_make_exactly_the_tables_of_the_code(store):
    with store.begin() as conn:
        context = alembic.runtime.migration.MigrationContext.configure(
            conn,
            opts={
                "include_schemas": True,
                "target_metadata": tables.METADATA,
                "version_table_schema": schemas.CVMS,
            },
        )
        differences = alembic.autogenerate.compare_metadata(context, tables.METADATA)

    assert differences == []


def test_every_check_of_the_code_is_in_the_database(store):
    known = {
        constraint.name
        for table in tables.METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }

    with store.begin() as conn:
        found = conn.scalars(
            sa.text("SELECT conname FROM pg_constraint WHERE contype = 'c'")
        ).all()

    assert {str(name) for name in known} <= set(found)


def test_every_table_has_a_comment(store):
    with store.begin() as conn:
        silent = conn.scalars(
            sa.text(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'cvms'::regnamespace"
                " AND relname <> 'alembic_version'"
                " AND obj_description(oid, 'pg_class') IS NULL"
            )
        ).all()

    assert silent == []


def test_an_empty_database_is_not_current(empty_database_url):
    assert not revisions.is_current(empty_database_url)


def test_upgrading_an_empty_database_makes_it_current(empty_database_url):
    revisions.upgrade(empty_database_url)

    assert revisions.is_current(empty_database_url)


def test_upgrading_twice_changes_nothing_more(database_url):
    revisions.upgrade(database_url)

    assert revisions.is_current(database_url)


def test_two_processes_may_upgrade_at_once(empty_database_url):
    failures: list[Exception] = []
    start = threading.Barrier(2)

    def upgrade() -> None:
        start.wait()
        try:
            revisions.upgrade(empty_database_url)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert revisions.is_current(empty_database_url)


def test_ids_are_of_version_7_and_in_order_of_making(store):
    with store.begin() as conn:
        first = conn.scalar(sa.text("SELECT cvms.new_id()"))
        conn.execute(sa.text("SELECT pg_sleep(0.002)"))
        second = conn.scalar(sa.text("SELECT cvms.new_id()"))

    assert (first.version, second.version) == (7, 7)
    assert first < second
