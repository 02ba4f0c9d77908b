"""Whose upload is worked on next, and whose messages go out next."""

from desks import NOW

from cvms_pipeline.domain import upload
from cvms_pipeline.store import outbox, uploads

ANN = "Ann,Lee,1/2/1990,ann@b.example.org"
LATER = NOW.replace(year=NOW.year + 1)


def awaiting(desk, **known):
    with desk.store.begin() as conn:
        found = uploads.awaiting_run(conn, limit=10, **known)
    return [each.id for each in found]


def test_a_run_that_is_known_to_wait_is_not_overdue(desk):
    waits, lost = desk.receive(), desk.receive()
    with desk.store.begin() as conn:
        uploads.note_requested(conn, [waits, lost], now=NOW)

    assert awaiting(desk, asked_before=LATER, queued=[waits]) == [lost]


def test_of_whom_enough_runs_wait_no_other_is_asked_for_in_that_lane(desk):
    desk.receive()
    high = desk.receive(lane=upload.Lane.HIGH_VOLUME)
    other = desk.receive("duke")

    assert awaiting(desk, full=[("mercy", "low_volume")]) == [other, high]


def test_who_is_no_provider_can_have_enough_runs_too(desk):
    desk.receive(None)
    known = desk.receive()

    assert awaiting(desk, full=[("unknown", "low_volume")]) == [known]


def test_messages_of_a_late_upload_do_not_wait_behind_many_of_another_provider(desk):
    for number in range(3):
        desk.bring([ANN.replace("Ann", f"Ann{'abc'[number]}")])
    desk.bring([ANN.replace("Ann", "Late")], "duke")

    with desk.store.begin() as conn:
        waiting = outbox.waiting(conn, LATER)

    assert waiting[outbox.Kind.INVITATION][:2] == ["upload-1", "upload-4"]
    assert waiting[outbox.Kind.NOTICE][:2] == ["upload-1", "upload-4"]
