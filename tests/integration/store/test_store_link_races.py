"""A correction and a set password at the same moment: one address, one explanation.

Real transactions: the second waits for the first, and then looks again.
"""

import concurrent.futures
import threading

import pytest
from test_store_races import load, plans
from upload_steps import NOW, is_blocked

from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.store.recipient_access import access

ANN = "Ann,Lee,1/2/1990,ann@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"


def use_link(conn, mine, link_id=None):
    return access.use_link(
        conn, mine, link_id=link_id or mine, email="ann@b.org", now=NOW
    )


def use_alone(desk, mine):
    with desk.store.begin() as conn:
        return use_link(conn, mine)


def state(desk):
    """Return the addresses, and whether a password is set at them."""
    return (
        desk.table(
            "SELECT email, password_set_at IS NOT NULL AS is_set FROM cvms.recipients"
        )
        .to_numpy()
        .tolist()
    )


@pytest.fixture
def mine(desk):
    desk.bring([ANN])
    return desk.column("SELECT id::text FROM cvms.recipients")[0]


def test_a_password_that_waits_for_a_correction_is_not_set(desk, mine):
    (planned,) = plans(desk, ("mercy", [ANN_CORRECTED]))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        with desk.store.begin() as conn:
            ended = load(conn, *planned)
            running = pool.submit(use_alone, desk, mine)
            assert is_blocked(desk, running)
        is_used = running.result(timeout=60)

    assert (ended.updated, ended.rejected) == (1, 0)
    assert is_used is False
    assert state(desk) == [["ann@new.org", False]]


def test_a_correction_that_waits_for_a_password_is_rejected_with_its_reason(desk, mine):
    (planned,) = plans(desk, ("mercy", [ANN_CORRECTED]))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        with desk.store.begin() as conn:
            assert use_link(conn, mine)
            running = pool.submit(desk.load, *planned)
            assert is_blocked(desk, running)
        ended = running.result(timeout=60)

    assert dict(ended.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert state(desk) == [["ann@b.org", True]]


def test_of_two_who_use_one_link_the_second_waits_and_gets_nothing(desk, mine):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with desk.store.begin() as conn:
            assert use_link(conn, mine)
            running = pool.submit(use_alone, desk, mine)
            assert is_blocked(desk, running)
        assert running.result(timeout=60) is False


@pytest.mark.parametrize("turn", range(6))
def test_a_correction_and_many_uses_at_once_end_at_one_address(desk, mine, turn):
    (planned,) = plans(desk, ("mercy", [ANN_CORRECTED]))
    start = threading.Barrier(4)

    def attempt(do):
        start.wait()
        return do()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        uses = [pool.submit(attempt, lambda: use_alone(desk, mine)) for _ in range(3)]
        correction = pool.submit(attempt, lambda: desk.load(*planned))
        used = sum(each.result(timeout=60) for each in uses)
        ended = correction.result(timeout=60)

    assert (used, ended.updated) in [(1, 0), (0, 1)]
    expected = ["ann@b.org", True] if used else ["ann@new.org", False]
    assert state(desk) == [expected]


def test_a_removal_that_is_faster_leaves_no_password(desk, mine):
    with desk.store.begin() as conn:
        conn.exec_driver_sql(
            "INSERT INTO cvms.removals (recipient_id, case_number, asked_by, asked_at,"
            " approved_by, approved_at) SELECT id, 1, gen_random_uuid(), now(),"
            " gen_random_uuid(), now() FROM cvms.recipients"
        )
        conn.exec_driver_sql(
            "UPDATE cvms.recipients SET removed_at = now(), last_key = '',"
            " first_key = 'removed:' || id, username = 'removed:' || id,"
            " username_number = 1"
        )
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = pool.submit(use_alone, desk, mine)
            assert is_blocked(desk, running)
            conn.commit()
            assert running.result(timeout=60) is False
