"""Which upload is processed next, and which messages are sent next."""

from upload_steps import NOW

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import listing, outbox, uploads

ANN = "Ann,Lee,1/2/1990,ann@b.example.org"
LATER = NOW.replace(year=NOW.year + 1)


def awaiting(desk, **known):
    with desk.store.begin() as conn:
        found = uploads.find_awaiting_run(conn, limit=10, **known)
    return [each.id for each in found]


def test_a_run_that_is_known_to_wait_is_not_overdue(desk):
    waits, lost = desk.receive(), desk.receive()
    with desk.store.begin() as conn:
        uploads.mark_requested(conn, [waits, lost], now=NOW)

    assert awaiting(desk, requested_before=LATER, queued=[waits]) == [lost]


def test_no_run_is_requested_while_the_queue_of_the_lane_is_full(desk):
    desk.receive()
    high = desk.receive(lane=upload.Lane.HIGH_VOLUME)
    other = desk.receive("duke")

    assert awaiting(desk, full=[("mercy", "low_volume")]) == [other, high]


def test_the_queue_of_an_unknown_provider_can_be_full_too(desk):
    desk.receive(None)
    known = desk.receive()

    assert awaiting(desk, full=[("unknown", "low_volume")]) == [known]


def test_messages_of_a_late_upload_do_not_wait_behind_many_of_another_provider(desk):
    for number in range(3):
        desk.bring([ANN.replace("Ann", f"Ann{'abc'[number]}")])
    desk.bring([ANN.replace("Ann", "Late")], "duke")

    with desk.store.begin() as conn:
        waiting = listing.find_due(conn, LATER)

    assert waiting[outbox.Kind.INVITATION][:2] == ["upload-1", "upload-4"]
    assert waiting[outbox.Kind.NOTICE][:2] == ["upload-1", "upload-4"]


def test_a_run_that_was_requested_in_the_future_is_requested_again(desk):
    upload_id = desk.receive()
    with desk.store.begin() as conn:
        uploads.mark_requested(conn, [upload_id], now=LATER)
    earlier = NOW.replace(year=NOW.year - 1)
    known = {"requested_before": earlier, "requested_after": LATER}

    assert awaiting(desk, now=LATER, **known) == []
    assert awaiting(desk, now=NOW, **known) == [upload_id]
