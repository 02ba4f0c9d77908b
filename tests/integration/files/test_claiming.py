"""Claiming: one rename, one winner, and nothing lost by a crash."""

import datetime as dt
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvms_pipeline import disk
from cvms_pipeline.domain.vocabulary import reasons, upload
from cvms_pipeline.files import access, claims, incoming


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_a_claim_moves_the_file_out_of_its_lane(folders, lane, claim_one):
    (lane / "staff.csv").write_bytes(b"x")

    taken = claim_one()

    assert list(lane.iterdir()) == []
    assert (taken.folder, taken.file_name) == ("mercy-hospital", "staff.csv")
    assert claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99) == [
        taken
    ]


def test_a_finished_claim_is_in_the_archive_only(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"some rows")
    taken = claim_one()

    stored = claims.finish(folders, taken, shelves, now=later(60))
    claims.discard(folders, taken)
    claims.discard(folders, taken)

    assert stored == claims.ClaimOutcome(
        size=9, sha256=upload.compute_sha256(b"some rows"), refusal=None
    )
    assert shelves.read(taken.upload_id) == b"some rows"
    assert claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99) == []
    assert [each.name for each in folders.claims.iterdir() if each.is_dir()] == []


def test_finishing_again_after_a_crash_gives_the_same(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"some rows")
    taken = claim_one()
    first = claims.finish(folders, taken, shelves, now=later(60))

    (again,) = claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)

    assert claims.finish(folders, again, shelves, now=later(60)) == first


def test_a_file_that_was_deleted_leaves_no_claim(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))
    (lane / "staff.csv").unlink()

    taken = claims.claim(folders, found, upload_id="u1", now=later(0))

    assert taken is None
    assert not (folders.claims / "u1").exists()


def test_a_file_that_was_replaced_is_not_claimed_and_is_found_again(
    folders, lane, later
):
    (lane / "staff.csv").write_bytes(b"old")
    (found,) = incoming.scan(folders, now=later(60))
    (lane / "new").write_bytes(b"new")
    (lane / "new").rename(lane / "staff.csv")

    taken = claims.claim(folders, found, upload_id="u1", now=later(0))

    assert taken is None
    assert (lane / "staff.csv").read_bytes() == b"new"


def test_a_lane_that_became_a_link_leads_nowhere(folders, lane, later, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (lane / "staff.csv").write_bytes(b"x")
    (elsewhere / "staff.csv").hardlink_to(lane / "staff.csv")
    (found,) = incoming.scan(folders, now=later(60))
    lane.rename(lane.with_name("aside"))
    lane.symlink_to(elsewhere)

    taken = claims.claim(folders, found, upload_id="u1", now=later(0))

    assert taken is None
    assert (elsewhere / "staff.csv").exists()


def race(folders, found, number, start, winners):
    start.wait()
    taken = claims.claim(folders, found, upload_id=f"u{number}", now=found_at(found))
    if taken is not None:
        winners.put(number)


def found_at(found):
    return dt.datetime.fromtimestamp(found.identity[-1] / 1e9, dt.UTC)


def test_of_several_processes_exactly_one_claims(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))
    spawned = multiprocessing.get_context("fork")
    start, winners = spawned.Barrier(4), spawned.SimpleQueue()
    racers = [
        spawned.Process(target=race, args=(folders, found, number, start, winners))
        for number in range(4)
    ]

    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    winner = winners.get()
    assert winners.empty()
    assert [
        c.upload_id
        for c in claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)
    ] == [f"u{winner}"]


KILLS = [
    (disk, "make_folder"),  # before the claim has a folder
    (disk, "write_new"),  # before its facts are written
    (claims, "_move"),  # before the rename
    (disk, "sync_folder"),  # somewhere around it
]


@pytest.mark.parametrize(("module", "function"), KILLS)
def test_killed_while_claiming_the_file_is_in_its_lane_or_claimed(
    folders, lane, later, monkeypatch, module, function
):
    (lane / "staff.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))
    with monkeypatch.context() as patched:
        patched.setattr(module, function, kill)
        with pytest.raises(KilledError):
            claims.claim(folders, found, upload_id="u1", now=later(0))

    taken = claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)
    left = incoming.scan(folders, now=later(60))

    assert len(taken) + len(left) == 1


def kill(*_, **__):
    raise KilledError


def test_killed_right_after_the_rename_the_claim_is_open(
    folders, lane, shelves, later, monkeypatch
):
    (lane / "staff.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))
    rename = os.rename
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", lambda *a, **k: (rename(*a, **k), kill()))
        with pytest.raises(KilledError):
            claims.claim(folders, found, upload_id="u1", now=later(0))

    (taken,) = claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)

    assert taken.file_name == "staff.csv"
    assert claims.finish(folders, taken, shelves, now=later(60)) is not None


def test_a_claim_without_its_facts_is_listed_without_folder_and_name(
    folders, lane, claim_one
):
    (lane / "staff.csv").write_bytes(b"x")
    taken = claim_one()
    (folders.claims / taken.upload_id / "claim.json").write_bytes(b"{")

    (found,) = claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)

    assert (found.folder, found.file_name) == ("", "unknown")


def test_a_claim_that_was_filled_while_it_was_dropped_is_put_back(
    folders, lane, claim_one
):
    (lane / "staff.csv").write_bytes(b"x")
    taken = claim_one()
    folder: Path = folders.claims / taken.upload_id
    folder.rename(folder.with_name(f".dropped-{folder.name}"))  # and then a crash

    assert claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99) == [
        taken
    ]


def test_a_full_disk_stores_nothing_and_loses_nothing(
    folders, lane, later, monkeypatch
):
    (lane / "Ann Smith.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))

    def full(*_, **__):
        raise OSError(28, "No space left on device", "Ann Smith.csv")

    monkeypatch.setattr(disk, "write_new", full)

    with pytest.raises(access.DiskFull, match="Free some disk space") as caught:
        claims.claim(folders, found, upload_id="u1", now=later(0))

    texts = [str(each) for each in chain(caught.value)]
    assert len(texts) > 1
    assert "Ann" not in "".join(texts)
    assert (lane / "Ann Smith.csv").exists()


def test_a_misplaced_file_cannot_be_claimed(folders, later):
    (folders.root / "staff.csv").write_bytes(b"x")
    (found,) = incoming.scan(folders, now=later(60))

    with pytest.raises(ValueError, match="misplaced"):
        claims.claim(folders, found, upload_id="u1", now=later(0))


def test_the_codes_are_those_of_the_domain():
    assert {
        reasons.NOT_A_FILE,
        reasons.FILE_TOO_LARGE,
        reasons.PROVIDER_UNKNOWN,
    } <= set(reasons.REFUSALS)
