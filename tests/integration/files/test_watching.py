"""Waiting for a change: what providers do wakes us, what we do ourselves does not."""

import os

from cvms_pipeline.files import watching


def turns_after(folders, change):
    """Return the first three turns after `change` was made in the second."""
    turns = watching.watch_changes(folders.root, pause_seconds=0.2)
    seen = [next(turns), next(turns)]
    change()
    return [*seen, next(turns)]


def test_a_dropped_file_wakes(folders, lane):
    turns = turns_after(folders, lambda: (lane / "staff.csv").write_bytes(b"x"))

    assert turns == [True, False, True]


def test_a_name_that_is_not_utf_8_wakes_the_watcher_and_so_do_later_changes(
    folders, lane
):
    turns = watching.watch_changes(folders.root, pause_seconds=0.2)
    first = [next(turns), next(turns)]

    (lane / os.fsdecode(b"\xff\xfe.csv")).write_bytes(b"x")
    woken = next(turns)
    quiet = next(turns)
    (lane / "staff.csv").write_bytes(b"x")

    assert [*first, woken, quiet, next(turns)] == [True, False, True, False, True]


def test_our_own_claims_do_not_wake(folders):
    folders.claims.mkdir()

    turns = turns_after(folders, lambda: (folders.claims / ".clock").write_bytes(b"x"))

    assert turns == [True, False, False]
