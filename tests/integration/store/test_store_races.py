import concurrent.futures
import contextlib
import random

import pytest
from upload_steps import NOW, is_blocked

from cvms_pipeline.database import engine
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.vocabulary import reasons
from cvms_pipeline.store import loading, recipients, uploads

ANN = "Ann,Lee,1/2/1990,ann@b.org"
BOB = "Bob,Lee,1/2/1990,bob@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
ANN_CORRECTED_TWICE = "Ann,Lee,1/2/1990,ann@newer.org"


class TakenBackError(Exception):
    """The first of two uploads is taken back."""


def lose_attempts(desk, count):
    """Let the first `count` attempts of each provider to insert end as a deadlock."""
    desk.execute(
        "CREATE SEQUENCE cvms.mercy; CREATE SEQUENCE cvms.duke;"
        "CREATE FUNCTION cvms.lose() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE SQLSTATE '40P01'; END $$;"
        "CREATE TRIGGER lose BEFORE INSERT ON cvms.recipients FOR EACH ROW"
        f" WHEN (nextval('cvms.' || NEW.provider) <= {count})"
        " EXECUTE FUNCTION cvms.lose()"
    )


def race(desk, first, second, *, is_first_taken_back=False):
    """Load both: `first` before, but committed only when `second` waits for it."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with contextlib.suppress(TakenBackError), desk.store.begin() as conn:
            one = load(conn, *first)
            running = pool.submit(desk.load, *second)
            assert is_blocked(desk, running)
            if is_first_taken_back:
                raise TakenBackError
        return one, running.result(timeout=60)


def load(conn, upload_id, planned):
    locked = uploads.lock(conn, upload_id)
    return loading.load(conn, locked, planned, now=NOW, data_ops="ops@b.org")


def plans(desk, *uploads_of):
    """Decide every upload before any of them is loaded."""
    ids = [desk.receive(slug) for slug, _ in uploads_of]
    return [
        (upload_id, desk.decide(upload_id, rows, slug))
        for upload_id, (slug, rows) in zip(ids, uploads_of, strict=True)
    ]


def emails(desk):
    return desk.column("SELECT email FROM cvms.recipients ORDER BY 1")


def test_of_two_uploads_with_one_person_one_loads_and_the_other_gets_the_reason(desk):
    one, two = race(desk, *plans(desk, ("mercy", [ANN]), ("duke", [ANN_CORRECTED])))

    assert (one.loaded, one.rejected) == (1, 0)
    assert dict(two.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert emails(desk) == ["ann@b.org"]


def test_after_a_conflict_all_duplicates_name_the_stored_recipient(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [ANN, ANN, ANN_CORRECTED]))

    _, two = race(desk, first, second)

    assert dict(two.reasons) == {reasons.DUPLICATE_RECIPIENT: 3}


def test_after_a_conflict_the_other_rows_still_load(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [ANN, BOB]))

    _, two = race(desk, first, second)

    assert (two.rows, two.loaded, two.rejected) == (2, 1, 1)
    assert emails(desk) == ["ann@b.org", "bob@b.org"]


def test_a_provider_racing_with_itself_corrects_the_e_mail(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("mercy", [ANN_CORRECTED]))

    _, two = race(desk, first, second)

    assert (two.loaded, two.updated) == (1, 1)
    assert emails(desk) == ["ann@new.org"]


def test_if_the_first_is_rolled_back_the_second_loads(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [ANN]))

    _, two = race(desk, first, second, is_first_taken_back=True)

    assert (two.loaded, two.rejected) == (1, 0)
    assert desk.column("SELECT provider FROM cvms.recipients") == ["duke"]


def test_two_corrections_at_once_happen_one_after_the_other(desk):
    desk.bring([ANN])
    first, second = plans(
        desk, ("mercy", [ANN_CORRECTED]), ("mercy", [ANN_CORRECTED_TWICE])
    )

    one, two = race(desk, first, second)

    assert (one.updated, two.updated) == (1, 1)
    assert desk.table(
        "SELECT old_email, new_email FROM cvms.recipient_changes ORDER BY upload_id"
    ).values.tolist() == [
        ["ann@b.org", "ann@new.org"],
        ["ann@new.org", "ann@newer.org"],
    ]


def test_the_same_correction_twice_at_once_happens_once(desk):
    desk.bring([ANN])
    first, second = plans(desk, *[("mercy", [ANN_CORRECTED])] * 2)

    one, two = race(desk, first, second)

    assert one.updated == 1
    assert dict(two.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert desk.column("SELECT count(*) FROM cvms.recipient_changes") == [1]


def test_two_uploads_may_share_an_e_mail_at_once(desk):
    bob = "Bob,Lee,1/2/1990,ann@b.org"
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [bob]))

    race(desk, first, second)

    names = desk.column("SELECT username FROM cvms.recipients ORDER BY upload_id")
    assert names == ["ann@b.org.COVID19VACCINE", "ann@b.org.2.COVID19VACCINE"]


def test_uploads_that_block_each_other_both_load_in_the_end(desk):
    desk.execute(
        "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;"
        "CREATE TRIGGER pause BEFORE INSERT ON cvms.recipients FOR EACH ROW"
        " WHEN (NEW.username_number = 1 AND NEW.first_name IN ('Cy', 'Dan'))"
        " EXECUTE FUNCTION pause()"
    )
    rows = {
        "mercy": ["Ann,Lee,1/2/1990,lee@b.org", "Dan,Moe,1/2/1990,moe@b.org"],
        "duke": ["Bob,Moe,1/2/1990,moe@b.org", "Cy,Lee,1/2/1990,lee@b.org"],
    }
    planned = plans(desk, *rows.items())

    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = [pool.submit(desk.load, *each) for each in planned]
        ended = [each.result(timeout=60) for each in running]

    assert [each.loaded for each in ended] == [2, 2]
    names = desk.column("SELECT username FROM cvms.recipients")
    assert len(set(names)) == 4


def test_two_runs_of_one_upload_load_it_once(desk):
    (planned,) = plans(desk, ("mercy", [ANN]))

    one, two = race(desk, planned, planned)

    assert one == two
    assert desk.column("SELECT count(*) FROM cvms.messages") == [2]


def test_an_upload_that_always_conflicts_gives_up_for_now(desk, monkeypatch):
    monkeypatch.setattr(recipients, "merge", lambda *_, **__: False)

    with pytest.raises(engine.StoreConflict):
        desk.bring([ANN])

    assert desk.latest().decided_at is None


# How many attempts each of two uploads loses, and whether they then load in turn.
_LOST = [(0, False), (1, True)]


@pytest.mark.parametrize(("lost", "is_in_turn"), _LOST)
def test_only_uploads_that_lost_an_attempt_load_one_after_another(
    desk, lost, is_in_turn
):
    lose_attempts(desk, lost)
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [BOB]))

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        load(conn, *first)
        running = pool.submit(desk.load, *second)
        has_waited = is_blocked(desk, running)

    assert has_waited is is_in_turn
    assert running.result().loaded == 1


def test_an_upload_that_waits_for_its_turn_locks_no_recipient(desk):
    desk.bring([ANN])
    lose_attempts(desk, 1)
    first, second = plans(
        desk, ("duke", [BOB]), ("mercy", [ANN_CORRECTED, ANN.replace("Ann", "Cy")])
    )

    with concurrent.futures.ThreadPoolExecutor() as pool, desk.store.begin() as conn:
        load(conn, *first)
        running = pool.submit(desk.load, *second)
        assert is_blocked(desk, running)
        desk.execute(
            "SET LOCAL lock_timeout = '5s'; UPDATE cvms.recipients"
            " SET password_set_at = now() WHERE email = 'ann@b.org'"
        )

    assert (running.result().loaded, running.result().rejected) == (1, 1)


def test_a_violation_that_no_conflict_explains_stops_the_load(desk):
    upload_id = desk.receive(None)
    planned = desk.decide(upload_id, [ANN])

    with pytest.raises(engine.StoreError) as raised:
        desk.load(upload_id, planned)

    assert raised.value.table == "recipients"
    assert "Ann" not in str(raised.value)


def _people(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)  # noqa: S311 # repeatable
    return [
        f"{rng.choice('ABCDEF')},{rng.choice('XYZ')},{rng.choice('123')}/1/1990,"
        f"{rng.choice('klmnop')}@{rng.choice(['b.org', 'b.org', 'B.org', 'nowhere'])}"
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_many_uploads_at_once_leave_every_line_explained(desk, seed):
    planned = plans(
        desk,
        *[(("mercy", "duke")[n % 2], _people(seed * 100 + n, 15)) for n in range(8)],
    )

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ended: list[outcome.Outcome] = list(pool.map(lambda p: desk.load(*p), planned))

    with desk.store.begin() as conn:
        explained = [
            loading.count_accounted_lines(conn, uploads.get(conn, upload_id))
            for upload_id, _ in planned
        ]
    inserted = sum(each.loaded - each.updated for each in ended)
    assert [each.rows for each in ended] == [15] * 8
    assert explained == [15] * 8
    assert desk.column("SELECT count(*) FROM cvms.recipients") == [inserted]
    assert desk.column("SELECT sum(recipients) FROM cvms.providers") == [inserted]
    assert desk.column(
        "SELECT count(*) FROM cvms.messages WHERE kind = 'invitation'"
    ) == [sum(each.loaded for each in ended)]
