import contextlib
import threading
import traceback

import psycopg2
import pytest
import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.database import copy, engine

CANARY = "Kanariela"
_INSERT = sa.text(
    "INSERT INTO cvms.providers (slug, name, vfc_pin, emails, created_at)"
    " VALUES (:slug, 'Mercy', :pin, ARRAY['a@b.org'], now())"
)


def everything_told(error: BaseException) -> str:
    """What any log could make of an error, hidden context included."""
    told = []
    link: BaseException | None = error
    while link is not None:
        told += [str(link), repr(link), *traceback.format_exception(link, chain=True)]
        link = link.__context__
    return "\n".join(told)


def insert(conn, slug=CANARY, pin="VAC2021"):
    conn.execute(_INSERT, {"slug": slug, "pin": pin})


def copy_bad_line(conn):
    columns = {"upload_id": ["x"], "line": [CANARY], "first_name": ["a"]}
    copy.append(conn, "cvms.rejected_rows", columns)


# Statements that fail with a row's value in the driver's own message.
_FAILURES = [
    # DETAIL: Key (slug)=(...) already exists.
    (lambda conn: (insert(conn), insert(conn)), "pk_providers", "providers"),
    # DETAIL: Failing row contains (...).
    (lambda conn: insert(conn, pin=CANARY), "ck_providers_vfc_pin", "providers"),
    # invalid input syntax for type integer: "..."
    (lambda conn: conn.execute(sa.text("SELECT :a ::int"), {"a": CANARY}), None, None),
    # CONTEXT: COPY rejected_rows, line 1, column line: "..."
    (copy_bad_line, None, None),
    # SQLAlchemy's own error, before anything is sent.
    (lambda conn: conn.execute(sa.text("SELECT :a"), {CANARY: 1}), None, None),
    # The driver's own error, before anything is sent.
    (lambda conn: insert(conn, slug={CANARY}), None, None),
]


@pytest.mark.parametrize(("act", "constraint", "table"), _FAILURES)
def test_no_error_of_the_store_contains_a_value_of_a_row(store, act, constraint, table):
    with pytest.raises(engine.StoreError) as raised, store.begin() as conn:
        act(conn)

    assert CANARY not in everything_told(raised.value)
    assert (raised.value.constraint, raised.value.table) == (constraint, table)


def test_an_error_that_nothing_has_translated_contains_no_parameter(store):
    division = sa.text("SELECT 1 / 0 WHERE CAST(:name AS text) <> ''")

    with pytest.raises(sa.exc.DataError) as raised, store.engine.begin() as conn:
        conn.execute(division, {"name": CANARY})

    assert CANARY not in str(raised.value)


def test_an_error_of_the_store_is_permanent_and_names_the_constraint(store):
    with store.begin() as conn:
        insert(conn)

    expected = pytest.raises(errors.PermanentError, match="constraint pk_providers")
    with expected, store.begin() as conn:
        insert(conn)


def test_an_error_rolls_back_the_whole_transaction(store):
    with contextlib.suppress(engine.StoreError), store.begin() as conn:
        insert(conn, slug="mercy")
        insert(conn, pin="nonsense")

    with store.begin() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM cvms.providers")) == 0


def test_other_errors_pass_as_they_are(store):
    with pytest.raises(ZeroDivisionError), store.begin():
        raise ZeroDivisionError


def test_a_missing_server_is_reported_as_unreachable_with_the_reason():
    store = engine.Store("postgresql://someone:secret@/cvms?host=/nowhere")

    with pytest.raises(engine.StoreAway, match="/nowhere") as raised, store.begin():
        pass

    assert "secret" not in everything_told(raised.value)


def test_a_closed_connection_means_an_unreachable_database(store):
    with pytest.raises(engine.StoreAway), store.begin() as conn:
        conn.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_after_a_connection_was_cut_the_next_one_works(store):
    with contextlib.suppress(engine.StoreAway), store.begin() as conn:
        conn.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with store.begin() as conn:
        assert conn.scalar(sa.text("SELECT 1")) == 1


def test_an_exhausted_pool_means_an_unreachable_database(database_url):
    store = engine.Store(database_url, pool_size=1)
    store.engine.pool._timeout = 0

    with store.begin(), store.begin():
        expected = pytest.raises(engine.StoreAway)
        with expected, store.begin():
            pass

    store.close()


# SQLSTATEs after which trying again can help, and what they are.
_TRANSIENT = [
    "40001",  # serialization failure
    "40P01",  # deadlock
    "55P03",  # lock timeout
    "57014",  # statement timeout
    "57P01",  # the server is shut down
    "53100",  # disk full
    "53300",  # too many connections
    "58030",  # input/output error
    "25006",  # read-only: a standby before fail-over
    "08006",  # connection failure
]


@pytest.mark.parametrize("state", _TRANSIENT)
def test_an_error_that_can_pass_is_transient(store, state):
    raising = sa.text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")

    with pytest.raises(engine.StoreAway, match=state), store.begin() as conn:
        conn.execute(raising)


def test_a_deadlock_is_transient_for_the_one_that_loses_it(store):
    with store.begin() as conn:
        for slug in ("duke", "mercy"):
            insert(conn, slug=slug)
    both = threading.Barrier(2, timeout=20)
    outcomes: list[str] = []
    update = sa.text("UPDATE cvms.providers SET name = 'x' WHERE slug = :slug")

    def cross(first: str, second: str) -> None:
        try:
            with store.begin() as conn:
                conn.execute(update, {"slug": first})
                both.wait()
                conn.execute(update, {"slug": second})
            outcomes.append("done")
        except engine.StoreAway:
            outcomes.append("away")

    threads = [
        threading.Thread(target=cross, args=pair)
        for pair in (("duke", "mercy"), ("mercy", "duke"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["away", "done"]


def test_a_driver_error_without_a_state_means_an_unreachable_database(store):
    with pytest.raises(engine.StoreAway), store.translated():
        raise psycopg2.DatabaseError("server sent data " + CANARY)


def test_sessions_are_named_and_rely_on_no_search_path(store):
    with store.begin() as conn:
        name = conn.scalar(sa.text("SHOW application_name"))
        path = conn.scalar(sa.text("SHOW search_path"))
        zone = conn.scalar(sa.text("SHOW timezone"))

    assert (name, path, zone) == ("cvms", "pg_catalog", "UTC")


def test_options_in_the_url_are_kept(database_url):
    url = f"{database_url}&options=-csearch_path%3Dcvms"
    store = engine.Store(url)

    with store.begin() as conn:
        assert conn.scalar(sa.text("SHOW search_path")) == "cvms"

    store.close()
