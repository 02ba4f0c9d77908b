import concurrent.futures
import contextlib
import random
import threading

import pytest
import sqlalchemy as sa
from desks import NOW

from cvms_pipeline.domain import outcome, reasons
from cvms_pipeline.store import engine, merging, recipients, tally

ANN = "Ann,Lee,1/2/1990,ann@b.org"
ANN_CORRECTED = "Ann,Lee,1/2/1990,ann@new.org"
ANN_CORRECTED_TWICE = "Ann,Lee,1/2/1990,ann@newer.org"


class TakenBackError(Exception):
    """The first of two uploads is taken back."""


def wait_until_blocked(desk):
    """Return once some session waits for another's lock."""
    waiting = sa.text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")
    pause = threading.Event()
    while True:
        with desk.store.begin() as conn:
            if conn.scalar(waiting):
                return
        pause.wait(0.01)


def race(desk, first, second, *, is_first_taken_back=False):
    """Load both: `first` before, but committed only when `second` waits for it."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with contextlib.suppress(TakenBackError), desk.store.begin() as conn:
            one = recipients.load(conn, *first, now=NOW, data_ops="ops@b.org")
            running = pool.submit(desk.load, *second)
            wait_until_blocked(desk)
            if is_first_taken_back:
                raise TakenBackError
        return one, running.result(timeout=60)


def plans(desk, *uploads_of):
    """Decide every upload before any of them is loaded."""
    ids = [desk.receive(slug) for slug, _ in uploads_of]
    return [
        (upload_id, desk.decide(upload_id, rows, slug))
        for upload_id, (slug, rows) in zip(ids, uploads_of, strict=True)
    ]


def emails(desk):
    return desk.column("SELECT email FROM cvms.recipients ORDER BY 1")


def test_of_two_uploads_with_one_person_one_loads_and_one_is_told_why(desk):
    one, two = race(desk, *plans(desk, ("mercy", [ANN]), ("duke", [ANN_CORRECTED])))

    assert (one.loaded, one.rejected) == (1, 0)
    assert dict(two.reasons) == {reasons.DUPLICATE_RECIPIENT: 1}
    assert emails(desk) == ["ann@b.org"]


def test_the_loser_s_twins_are_told_of_the_store_not_of_each_other(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [ANN, ANN, ANN_CORRECTED]))

    _, two = race(desk, first, second)

    assert dict(two.reasons) == {reasons.DUPLICATE_RECIPIENT: 3}


def test_the_loser_s_other_rows_still_load(desk):
    bob = "Bob,Lee,1/2/1990,bob@b.org"
    first, second = plans(desk, ("mercy", [ANN]), ("duke", [ANN, bob]))

    _, two = race(desk, first, second)

    assert (two.rows, two.loaded, two.rejected) == (2, 1, 1)
    assert emails(desk) == ["ann@b.org", "bob@b.org"]


def test_a_provider_racing_with_itself_corrects_the_e_mail(desk):
    first, second = plans(desk, ("mercy", [ANN]), ("mercy", [ANN_CORRECTED]))

    _, two = race(desk, first, second)

    assert (two.loaded, two.updated) == (1, 1)
    assert emails(desk) == ["ann@new.org"]


def test_if_the_first_is_taken_back_the_second_loads(desk):
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


def test_who_is_always_overtaken_gives_up_for_now(desk, monkeypatch):
    monkeypatch.setattr(merging, "merge", lambda *_, **__: False)

    with pytest.raises(engine.StoreConflict):
        desk.bring([ANN])

    assert desk.latest().decided_at is None


def test_what_no_race_explains_stops_the_load(desk):
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
        explained = [tally.accounted_for(conn, upload_id) for upload_id, _ in planned]
    inserted = sum(each.loaded - each.updated for each in ended)
    assert [each.rows for each in ended] == [15] * 8
    assert explained == [15] * 8
    assert desk.column("SELECT count(*) FROM cvms.recipients") == [inserted]
    assert desk.column("SELECT sum(recipients) FROM cvms.providers") == [inserted]
    assert desk.column(
        "SELECT count(*) FROM cvms.messages WHERE kind = 'invitation'"
    ) == [sum(each.loaded for each in ended)]
