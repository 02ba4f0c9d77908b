"""What providers are told before an outcome: at once, and when it takes long."""

import datetime as dt
import pathlib
import shutil
import time
from dataclasses import replace

import pytest
from installations import ANN, BAD, BOB

from cvms_pipeline.database import engine
from cvms_pipeline.use_cases import advise, deliver, process, publish, receive

DELAYED = (
    "and is delayed by a fault of ours. Nothing is lost: the file is processed as soon"
    " as that is fixed. There is nothing to do: do not send it again. The outcome will"
    " be written here and sent by mail."
)


def moment(site, upload_id):
    at = site.upload(upload_id).received_at.astimezone(site.pipeline.zone)
    return f"{at:%B} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M %p %Z}"


def receipt(site, upload_id):
    return unwrap(site.receipt(upload_id))


def unwrap(text):
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def received(site, upload_id):
    return (
        f"Filename: staff.csv Upload: {upload_id}\n\n"
        f"This file was received on {moment(site, upload_id)}, and is being worked on."
        " The outcome will be written here and sent by mail, usually within a minute."
    )


def delayed(site, upload_id):
    return (
        f"Filename: staff.csv Upload: {upload_id}\n\n"
        f"This file was received on {moment(site, upload_id)}, {DELAYED}"
    )


def without_store(site):
    """Return the same installation, whose database cannot be reached."""
    away = engine.Store("postgresql://nobody@127.0.0.1:1/none")
    return replace(site, pipeline=replace(site.pipeline, store=away))


def test_a_provider_is_told_at_once_that_its_file_was_received(site):
    upload_id = site.receive([ANN])

    assert receipt(site, upload_id) == received(site, upload_id)
    assert site.results() == ["receipt.txt"]


def test_the_outcome_takes_the_place_of_the_first_receipt(site):
    upload_id = site.receive([ANN, BAD])

    site.process(upload_id)

    assert site.results() == ["BulkError.csv", "receipt.txt"]
    assert "Number of Records In File: 2" in receipt(site, upload_id)


def test_what_a_provider_writes_into_the_first_receipt_is_kept_beside_the_outcome(site):
    upload_id = site.receive([ANN])
    results = site.lane().parent / "results"
    (path,) = results.glob("*/receipt.txt")
    path.write_text(path.read_text() + "Called them.\n")

    site.process(upload_id)

    assert site.results() == ["receipt-earlier.txt", "receipt.txt"]
    assert "Called them." in path.with_name("receipt-earlier.txt").read_text()
    assert "Number of Records In File: 1" in receipt(site, upload_id)


def test_the_outcome_is_written_where_a_provider_has_removed_the_first_receipt(site):
    upload_id = site.receive([ANN])
    results = site.lane().parent / "results"
    shutil.rmtree(next(results.glob("staff-*")))

    site.process(upload_id)

    assert "Number of Records In File: 1" in receipt(site, upload_id)


def remove(results):
    shutil.rmtree(results)


def link(results):
    shutil.rmtree(results)
    results.symlink_to("/etc")


def replace_by_file(results):
    shutil.rmtree(results)
    results.write_text("mine")


@pytest.mark.parametrize("deed", [remove, link, replace_by_file])
def test_results_that_hold_no_receipt_keep_no_file_from_being_received(site, deed):
    deed(site.lane().parent / "results")
    upload_id = site.receive([ANN])

    site.clock.forward(minutes=6)
    advise.tell_delays(site.pipeline)

    assert site.upload(upload_id).delayed_at is not None


def test_a_provider_is_told_once_that_its_upload_is_delayed(site):
    upload_id = site.receive([ANN])
    site.clock.forward(minutes=4)
    advise.tell_delays(site.pipeline)
    assert receipt(site, upload_id) == received(site, upload_id)

    site.clock.forward(minutes=2)
    advise.tell_delays(site.pipeline)

    assert receipt(site, upload_id) == delayed(site, upload_id)
    assert site.results() == ["receipt.txt"]
    assert site.mail() == []


@pytest.mark.parametrize("status", ["failed", "processing"])
def test_an_upload_whose_run_fails_is_delayed_until_it_has_an_outcome(site, status):
    upload_id = site.receive([ANN])
    if status == "failed":
        process.mark_failed(site.pipeline, upload_id, run_id="1", job="process_upload")
    else:
        process.read_rows(site.pipeline, upload_id, "run")
    site.clock.forward(minutes=6)
    advise.tell_delays(site.pipeline)
    assert receipt(site, upload_id) == delayed(site, upload_id)

    site.process(upload_id)

    assert site.results() == ["receipt.txt"]
    assert "Number of Records In File: 1" in receipt(site, upload_id)


def test_an_outcome_that_cannot_be_written_is_a_delay_too(site):
    upload_id = site.receive([ANN])
    decide(site, upload_id)
    site.clock.forward(minutes=6)

    advise.tell_delays(site.pipeline)

    assert receipt(site, upload_id) == delayed(site, upload_id)


def decide(site, upload_id):
    read = process.read_rows(site.pipeline, upload_id, "run").sheet
    judged = process.validate_rows(site.pipeline, upload_id, read)
    planned = process.find_duplicates(site.pipeline, upload_id, judged)
    process.load(site.pipeline, upload_id, planned)


def test_a_receipt_with_an_outcome_is_not_changed_while_its_notice_waits(site):
    upload_id = site.receive([ANN])
    decide(site, upload_id)
    publish.publish(site.pipeline, upload_id)
    site.clock.forward(hours=2)

    advise.tell_delays(site.pipeline)

    assert "Number of Records In File: 1" in receipt(site, upload_id)
    assert deliver.send_alerts(site.pipeline) == 0


def test_after_an_hour_a_provider_gets_one_message_about_all_its_delayed_uploads(site):
    first = site.receive([ANN])
    second = site.receive([BOB], file_name="more.csv")
    for _ in range(3):
        site.clock.forward(minutes=59)
        advise.tell_delays(site.pipeline)

    assert deliver.send_alerts(site.pipeline) == 1
    (message,) = site.mail()
    assert message["To"] == "staff@mercy.example.org"
    assert message["Subject"] == "Bulk Employee Upload - Delayed"
    text = message.get_body(("plain",)).get_content()
    assert unwrap(text) == (
        "2 files are delayed by a fault of ours:\n\n"
        f"- staff.csv, received on {moment(site, first)} (upload {first})"
        f" - more.csv, received on {moment(site, second)} (upload {second})\n\n"
        "Nothing is lost: they are processed as soon as that is fixed. There is nothing"
        " to do: do not send them again. A message with the outcome will follow."
    )


def test_another_upload_that_is_delayed_later_gets_a_message_of_its_own(site):
    site.receive([ANN])
    site.clock.forward(minutes=61)
    advise.tell_delays(site.pipeline)
    site.drop([BOB], file_name="more.csv")
    site.take_in()
    for _ in range(2):
        site.clock.forward(minutes=61)
        advise.tell_delays(site.pipeline)

    purposes = site.column("SELECT purpose FROM cvms.messages WHERE kind = 'delay'")
    uploads = site.column("SELECT id FROM cvms.uploads ORDER BY id")
    assert sorted(purposes) == [f"delay:mercy:{each}" for each in uploads]


def test_a_message_about_a_delay_that_is_over_is_withdrawn(site):
    upload_id = site.receive([ANN])
    for _ in range(2):
        site.clock.forward(minutes=61)
        advise.tell_delays(site.pipeline)
    site.process(upload_id)

    assert deliver.send_alerts(site.pipeline) == 0
    kept = "SELECT status FROM cvms.messages WHERE kind = 'delay'"
    assert site.column(kept) == ["withdrawn"]


def test_without_the_database_a_provider_is_told_of_a_claimed_file(site):
    away = without_store(site)
    site.drop([ANN])
    while not list(site.pipeline.folders.claims.glob("*/original")):
        received_now = receive.receive(away.pipeline)
        time.sleep(0.01)
    assert isinstance(received_now.error, engine.StoreAway)
    (path,) = (site.lane().parent / "results").glob("staff-*/receipt.txt")
    assert "is being worked on" in unwrap(path.read_text())

    site.clock.forward(minutes=6)
    advise.look_without_store(away.pipeline)
    assert DELAYED in unwrap(path.read_text())

    (taken,) = site.take_in()
    site.process(taken.id)
    assert site.results() == ["receipt.txt"]
    assert "Number of Records In File: 1" in path.read_text()


def test_without_the_database_a_provider_is_told_of_a_file_that_waits(site):
    site.drop([ANN])
    site.clock.forward(seconds=35)
    advise.look_without_store(without_store(site).pipeline)
    results = site.lane().parent / "results"
    assert list(results.iterdir()) == []

    site.clock.forward(seconds=10)
    advise.look_without_store(without_store(site).pipeline)

    (note,) = results.iterdir()
    assert unwrap(note.read_text("utf-8")) == (
        "Filename: low_volume/staff.csv\n\n"
        "This file is in the right folder, and has not been taken in yet. If a program"
        " such as Excel has it open, close it there; if it is still being copied, wait"
        " until that has ended.\n\n"
        "Otherwise it is delayed by a fault of ours. Leave it where it is. There is"
        " nothing to do: do not send it again. This note is removed as soon as the file"
        " is taken in."
    )
    site.take_in()
    assert not note.exists()


def end_watch(root):
    """Take the folder away until nobody watches it: a look may make it once more."""
    deadline = time.monotonic() + 60
    while root in advise._watched:
        assert time.monotonic() < deadline
        shutil.rmtree(root, ignore_errors=True)
        time.sleep(0.01)


def test_files_are_looked_at_while_no_tick_does(site, monkeypatch):
    monkeypatch.setattr(advise, "_WATCH_SECONDS", 0.01)
    monkeypatch.setattr(advise, "_UNWATCHED_SECONDS", 0.05)
    site.drop([ANN])
    site.clock.forward(seconds=55)

    advise.watch_once(without_store(site).pipeline)

    notes = site.lane().parent / "results"
    deadline = time.monotonic() + 60
    while not list(notes.glob("staff-not-taken-*.txt")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    end_watch(site.pipeline.folders.root)


def test_a_folder_that_may_not_be_entered_for_a_while_is_watched_all_the_same(
    site, monkeypatch
):
    root, closed = site.pipeline.folders.root, []
    is_dir = pathlib.Path.is_dir

    def refuse(path, **options):
        if path == root and len(closed) < 3:
            closed.append(path)
            raise PermissionError(13, "Permission denied")
        return is_dir(path, **options)

    monkeypatch.setattr(advise, "_WATCH_SECONDS", 0.01)
    monkeypatch.setattr(pathlib.Path, "is_dir", refuse)

    advise.watch_once(without_store(site).pipeline)

    deadline = time.monotonic() + 60
    while len(closed) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert root in advise._watched
    end_watch(root)


def test_a_provider_that_may_not_upload_is_told_so(site):
    site.add_provider("late", is_enabled=False)
    upload_id = site.receive([ANN], slug="late")

    assert unwrap(site.receipt(upload_id, "late")) == (
        f"Filename: staff.csv Upload: {upload_id}\n\n"
        "This file was not taken in. The folder belongs to no provider that may upload."
        " Ask the help desk to register the provider; the file is kept."
    )


def test_the_first_receipt_is_made_whole_where_it_was_interrupted(site):
    upload_id = site.receive([ANN])
    results = site.lane().parent / "results"
    half = results / f".staff-{upload_id}.0123456789ab.tmp"
    half.mkdir()

    site.process(upload_id)

    assert [path.name for path in results.iterdir()] == [f"staff-{upload_id}"]


def test_a_delay_is_told_after_the_minutes_that_are_set(site):
    soon = replace(
        site.pipeline,
        delayed_after=dt.timedelta(minutes=1),
        delay_mailed_after=dt.timedelta(minutes=2),
    )
    site.receive([ANN])
    site.clock.forward(minutes=3)

    advise.tell_delays(soon)
    advise.tell_delays(soon)

    assert deliver.send_alerts(soon) == 1
