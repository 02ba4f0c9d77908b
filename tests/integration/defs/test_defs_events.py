"""The event log says what Dagster's own says, with fewer statements."""

import re
from collections import Counter
from collections.abc import Iterator

import dagster as dg
import dagster_desks
import pytest
import sqlalchemy as sa
import test_defs_canary_tables
from dagster._core.storage.event_log import schema
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from installations import ANN, BAD, BOB

from cvms_pipeline.defs import events, partitions

UPLOADS = partitions.UPLOADS.name
RECIPIENTS = dg.AssetKey("recipients")
TYPE = dg.DagsterEventType
VARYING = re.compile(r"[0-9a-f]{8}[0-9a-f-]+|[0-9.]+m?s|pid: \d+")


@pytest.fixture
def stored(tmp_path, site) -> Iterator[dg.DagsterInstance]:
    """An instance on the product's own storage, in the site's database."""
    (tmp_path / "dagster").mkdir()
    storage = {"custom": test_defs_canary_tables.STORAGE}
    with dg.instance_for_test(
        temp_dir=str(tmp_path / "dagster"),
        overrides={
            "storage": storage,
            "compute_logs": test_defs_canary_tables.NO_OUTPUT,
        },
    ) as made:
        yield made


@pytest.fixture
def log(stored) -> events.EventLog:
    return stored.event_log_storage


@pytest.fixture
def here(site, stored) -> dagster_desks.Desk:
    return dagster_desks.at(site, stored)


@pytest.fixture
def statements(log) -> Iterator[list[str]]:
    """What is asked of Postgres on Dagster's connections."""
    heard: list[str] = []

    def hear(_conn, _cursor, statement, *_more):
        heard.append(statement)

    sa.event.listen(log._engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(log._engine, "before_cursor_execute", hear)


def told(instance, run_id) -> list[tuple[str, str | None, str]]:
    """Return type, step and words of a run's events, without what always varies."""
    return [
        (e.dagster_event.event_type_value, e.step_key, VARYING.sub("", e.message))
        for e in instance.all_logs(run_id)
        if e.dagster_event
    ]


def an_event(kind, **more) -> dg.EventLogEntry:
    event = dg.DagsterEvent(
        event_type_value=kind.value, job_name="process_upload", **more
    )
    return dg.EventLogEntry(
        error_info=None,
        level=10,
        user_message="",
        run_id="the-run",
        timestamp=1.0,
        dagster_event=event,
    )


def kinds(instance) -> list[TYPE]:
    return [e.dagster_event_type for e in instance.all_logs("the-run")]


def test_a_run_leaves_the_events_that_it_leaves_with_dagster_s_own_log(
    here, stored, log, desk, instance
):
    theirs = desk.run(desk.receive([ANN, BAD]))
    upload_id = here.receive([BOB, BAD])

    with log.within_a_run():
        ours = here.run(upload_id)

    assert ours.success
    assert told(stored, ours.run_id) == told(instance, theirs.run_id)


def test_a_failed_run_leaves_the_events_that_it_leaves_with_dagster_s_own_log(
    here, stored, log, desk, instance, site
):
    upload_ids = [desk.receive([ANN]), here.receive([BOB])]
    with site.pipeline.store.begin() as conn:
        conn.exec_driver_sql(
            "ALTER TABLE cvms.messages ADD CONSTRAINT never CHECK (false) NOT VALID"
        )
    theirs = desk.run(upload_ids[0])

    with log.within_a_run():
        ours = here.run(upload_ids[1])

    assert not ours.success
    left = [(kind, step) for kind, step, _ in told(stored, ours.run_id)]
    assert left == [(kind, step) for kind, step, _ in told(instance, theirs.run_id)]


def test_a_run_costs_few_statements_and_nobody_is_notified(here, log, statements):
    here.bring([ANN])
    upload_id = here.receive([BAD])
    statements.clear()

    with log.within_a_run():
        run = here.run(upload_id)

    first = Counter(statement.split()[0] for statement in statements)
    assert first["NOTIFY"] == 0
    inserts = [each for each in statements if each.startswith("INSERT INTO event_logs")]
    assert len(inserts) < len(here.instance.all_logs(run.run_id)) - 15
    asked = [each for each in statements if "FROM dynamic_partitions" in each]
    assert len(asked) == 1


def test_a_later_run_asks_nothing_of_dagster_s_schema_nor_of_its_snapshots(
    here, statements
):
    here.bring([ANN])
    here.bring([BOB])
    upload_id = here.receive([BAD])
    statements.clear()

    assert here.run(upload_id).success

    asked = [each for each in statements if "pg_catalog" in each or "snapshots" in each]
    assert asked == []


def test_what_was_held_back_is_stored_before_what_follows(stored, log):
    with log.within_a_run():
        log.store_event(an_event(TYPE.LOADED_INPUT, step_key="a"))
        log.store_event(an_event(TYPE.HANDLED_OUTPUT, step_key="a"))
        before = kinds(stored)
        log.store_event(an_event(TYPE.STEP_START, step_key="b"))

        assert before == []
        assert kinds(stored) == [
            TYPE.LOADED_INPUT,
            TYPE.HANDLED_OUTPUT,
            TYPE.STEP_START,
        ]


def test_what_nothing_follows_is_stored_when_the_run_ends_however_it_ends(stored, log):
    def work_until_interrupted() -> None:
        with log.within_a_run():
            log.store_event(an_event(TYPE.LOADED_INPUT, step_key="a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_until_interrupted()

    assert kinds(stored) == [TYPE.LOADED_INPUT]


def test_outside_a_run_an_event_is_stored_at_once(stored, log):
    log.store_event(an_event(TYPE.LOADED_INPUT, step_key="a"))

    assert kinds(stored) == [TYPE.LOADED_INPUT]


# What says that something is done, or has begun, or has gone wrong.
NEVER_HELD = [
    TYPE.ASSET_CHECK_EVALUATION,
    TYPE.ASSET_MATERIALIZATION,
    TYPE.RUN_FAILURE,
    TYPE.RUN_START,
    TYPE.RUN_SUCCESS,
    TYPE.STEP_FAILURE,
    TYPE.STEP_INPUT,
    TYPE.STEP_START,
    TYPE.STEP_SUCCESS,
    TYPE.STEP_UP_FOR_RETRY,
]


@pytest.mark.parametrize("kind", NEVER_HELD)
def test_what_says_how_it_stands_is_never_held_back(kind):
    assert kind not in events.FOLLOWED


def test_a_partition_stays_known_within_a_run_and_no_longer(stored, log):
    stored.add_dynamic_partitions(UPLOADS, ["u1"])

    with log.within_a_run():
        assert stored.has_dynamic_partition(UPLOADS, "u1")
        stored.delete_dynamic_partition(UPLOADS, "u1")
        assert stored.has_dynamic_partition(UPLOADS, "u1")

    assert not stored.has_dynamic_partition(UPLOADS, "u1")


def test_a_partition_that_is_added_during_a_run_is_found(stored, log):
    with log.within_a_run():
        assert not stored.has_dynamic_partition(UPLOADS, "u1")
        stored.add_dynamic_partitions(UPLOADS, ["u1"])
        assert stored.has_dynamic_partition(UPLOADS, "u1")


def test_within_a_run_what_it_has_just_made_is_found(stored, log):
    def made() -> list[str]:
        found = stored.fetch_materializations(RECIPIENTS, limit=5)
        return [record.partition_key for record in found.records]

    with log.within_a_run():
        for partition in ("u1", "u2"):
            stored.report_runless_asset_event(
                dg.AssetMaterialization(RECIPIENTS, partition=partition)
            )
            assert made()[0] == partition

        assert made() == ["u2", "u1"]


def test_an_asset_s_last_materialization_is_the_last_until_it_is_wiped(stored):
    (record,) = stored.get_asset_records([RECIPIENTS]) or (None,)
    assert record is None
    stored.report_runless_asset_event(dg.AssetMaterialization(RECIPIENTS))
    stored.report_runless_asset_event(
        dg.AssetMaterialization(RECIPIENTS, partition="u2")
    )

    (record,) = stored.get_asset_records([RECIPIENTS])
    assert record.asset_entry.last_materialization_record.partition_key == "u2"
    stored.wipe_assets([RECIPIENTS])
    stored.report_runless_asset_event(dg.AssetObservation(RECIPIENTS))

    (record,) = stored.get_asset_records([RECIPIENTS])
    assert record.asset_entry.last_materialization_record is None


# What dagster-postgres does to store an event, and what Dagster does to read rows:
# when one of these changes, ours must be compared with it again.
DONE_BY = {
    PostgresEventLogStorage.store_event: {
        "_connect",
        "prepare_insert_event",
        "index_transaction",
        "_store_asset_event_tags",
        "_store_asset_event",
        "store_asset_check_event",
    },
    SqlEventLogStorage.prepare_insert_event: {"_event_to_row"},
    SqlEventLogStorage._get_latest_materialization_records: {
        "_add_assets_wipe_filter_to_query",
        "index_connection",
    },
}


@pytest.mark.parametrize("function", DONE_BY)
def test_dagster_still_does_what_ours_does_in_its_place(function):
    used = set(function.__code__.co_names)

    assert {n for n in used if hasattr(PostgresEventLogStorage, n)} == DONE_BY[function]


def test_an_event_is_still_one_row_of_one_table(log):
    row = log._event_to_row(an_event(TYPE.STEP_START))

    columns = set(schema.SqlEventLogStorageTable.c.keys())
    assert set(row) == columns - {"id"}
