"""Where a claim ends: archive or quarantine, never half, never opened in vain."""

import datetime as dt
import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from cvms_pipeline import disk
from cvms_pipeline.files import archive, claims, incoming

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - another file system, on any Linux


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_full_folder(path: Path) -> None:
    path.mkdir()
    (path / "inside.csv").write_bytes(b"x")


NOT_FILES = [
    os.mkfifo,  # opening it would block for ever
    make_link,  # following it would leak
    make_full_folder,  # a folder called x.csv
]


@pytest.mark.parametrize("make", NOT_FILES)
def test_links_pipes_and_folders_go_to_quarantine_without_being_opened(
    folders, lane, shelves, later, claim_one, make
):
    make(lane / "x.csv")
    taken = claim_one()

    stored = claims.finish(folders, taken, shelves, now=later(60))
    claims.discard(folders, taken)

    assert stored == claims.ClaimOutcome(size=None, sha256=None, refusal="not-a-file")
    assert os.path.lexists(claims.quarantine_path(folders, taken.upload_id))
    assert not shelves.has(taken.upload_id)
    assert claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99) == []


def test_a_file_over_the_limit_is_moved_without_being_read(
    folders, lane, shelves, later, claim_one, monkeypatch
):
    with (lane / "huge.csv").open("wb") as file:
        file.truncate(2 * 1024**3)
    taken = claim_one()
    monkeypatch.setattr(claims, "_read", None)  # calling it would fail

    stored = claims.finish(folders, taken, shelves, now=later(60))

    assert stored == claims.ClaimOutcome(
        size=2 * 1024**3, sha256=None, refusal="file-too-large"
    )
    assert claims.quarantine_path(folders, taken.upload_id).exists()


def test_a_file_of_exactly_the_limit_is_read(folders, lane, shelves, later, claim_one):
    (lane / "staff.csv").write_bytes(b"x" * folders.max_bytes)
    taken = claim_one()

    stored = claims.finish(folders, taken, shelves, now=later(60))

    assert stored is not None
    assert stored.refusal is None


def test_the_bytes_of_an_unknown_provider_are_kept_in_quarantine(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"rows")
    taken = claim_one()

    stored = claims.finish(folders, taken, shelves, now=later(60), quarantine=True)
    claims.discard(folders, taken)

    kept = claims.quarantine_path(folders, taken.upload_id)
    assert stored is not None
    assert (stored.size, stored.refusal) == (4, "provider-unknown")
    assert kept.read_bytes() == b"rows"
    assert kept.with_name("claim.json").exists()
    assert not shelves.has(taken.upload_id)


def test_a_crash_after_quarantine_leaves_the_claim_open_with_the_same_result(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"rows")
    taken = claim_one()
    first = claims.finish(folders, taken, shelves, now=later(60), quarantine=True)

    (again,) = claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99)

    assert again == taken
    assert first == claims.finish(
        folders, again, shelves, now=later(60), quarantine=True
    )


def test_a_writer_that_came_before_the_claim_keeps_it_open(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"half")
    taken = claim_one()
    original = folders.claims / taken.upload_id / "original"

    with original.open("ab") as file:
        early = claims.finish(folders, taken, shelves, now=later(60))
        file.write(b" and half")
    late = claims.finish(folders, taken, shelves, now=later(60))

    assert early is None
    assert late is not None
    assert shelves.read(taken.upload_id) == b"half and half"


@pytest.mark.usefixtures("without_leases")
def test_without_leases_a_change_after_the_claim_waits_for_the_settle_time(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"half")
    taken = claim_one()
    with (folders.claims / taken.upload_id / "original").open("ab") as file:
        file.write(b" and half")

    assert claims.finish(folders, taken, shelves, now=later(0)) is None
    assert claims.finish(folders, taken, shelves, now=later(2)) is not None
    assert shelves.read(taken.upload_id) == b"half and half"


@pytest.mark.usefixtures("without_leases")
def test_without_leases_an_unchanged_claim_does_not_wait_again(
    folders, lane, shelves, later, claim_one
):
    (lane / "staff.csv").write_bytes(b"rows")
    taken = claim_one()

    assert claims.finish(folders, taken, shelves, now=later(0)) is not None


def test_a_file_that_grows_while_it_is_read_is_not_stored(
    folders, lane, shelves, later, claim_one, monkeypatch
):
    (lane / "staff.csv").write_bytes(b"half")
    taken = claim_one()
    opened = os.fdopen

    def growing(descriptor, *arguments):
        with (folders.claims / taken.upload_id / "original").open("ab") as file:
            file.write(b" and half")
        return opened(descriptor, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdopen", growing)
        stored = claims.finish(folders, taken, shelves, now=later(60))

    assert stored is None
    assert not shelves.has(taken.upload_id)


def test_a_hard_link_that_the_provider_keeps_does_not_change_the_archive(
    folders, lane, shelves, later, claim_one, tmp_path
):
    (lane / "staff.csv").write_bytes(b"as dropped")
    (tmp_path / "kept").hardlink_to(lane / "staff.csv")
    taken = claim_one()
    claims.finish(folders, taken, shelves, now=later(60))

    (tmp_path / "kept").write_bytes(b"changed after")

    assert shelves.read(taken.upload_id) == b"as dropped"


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="needs a second file system")
def test_the_archive_may_be_on_another_file_system(folders, lane, later, claim_one):
    (lane / "staff.csv").write_bytes(b"rows")
    taken = claim_one()
    elsewhere = Path(tempfile.mkdtemp(dir=SHARED_MEMORY))
    try:
        assert elsewhere.stat().st_dev != lane.stat().st_dev
        shelves = archive.Archive(elsewhere)

        claims.finish(folders, taken, shelves, now=later(60))

        assert shelves.read(taken.upload_id) == b"rows"
    finally:
        shutil.rmtree(elsewhere)


def test_a_lane_on_another_file_system_is_reported(folders, lane, later, monkeypatch):
    (lane / "staff.csv").write_bytes(b"rows")
    (found,) = incoming.scan(folders, now=later(60))

    def across(*_, **__):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", across)

    with pytest.raises(Exception, match="holds a mount point"):
        claims.claim(folders, found, upload_id="u1", now=later(0))

    assert (lane / "staff.csv").exists()


def test_a_full_disk_leaves_the_claim_open(
    folders, lane, shelves, later, claim_one, monkeypatch
):
    (lane / "staff.csv").write_bytes(b"rows")
    taken = claim_one()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write_new", full)
        with pytest.raises(Exception, match=f"No room left for {shelves.root}"):
            claims.finish(folders, taken, shelves, now=later(60))

    assert claims.list_open_claims(folders, now=dt.datetime.now(dt.UTC), limit=99) == [
        taken
    ]
    assert claims.finish(folders, taken, shelves, now=later(60)) is not None
