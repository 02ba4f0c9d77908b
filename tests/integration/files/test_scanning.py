"""What `incoming.scan` finds, passes over, and tells of odd things."""

import os
import socket
import stat
from pathlib import Path

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming

TEMPORARY = [
    "staff.csv.part",  # browsers, curl wrappers
    "staff.csv.filepart",  # WinSCP
    "staff.TMP",  # upper case, from Windows
    "staff.csv.crdownload",  # Chrome
    "staff.csv.partial",  # Edge
    "~$staff.csv",  # Excel's owner file
    ".staff.csv",  # rsync, and hidden files
    "Thumbs.db",  # Windows Explorer
    "DESKTOP.INI",  # the same
]

ODD_NAMES = [
    (b"Liste d'\xe9t\xe9.csv", "Liste d'\\xe9t\\xe9.csv"),  # Latin-1 bytes
    (b"two\nlines.csv", "two\\x0alines.csv"),  # a line break
    ("gpj.\u202evsc".encode(), "gpj.\\u202evsc"),  # turns the direction of writing
    (b"a..%2F..%2Fetc.csv", "a..%2F..%2Fetc.csv"),  # an escaped path
    (("é" * 125 + ".csv").encode(), "é" * 125 + ".csv"),  # 254 of 255 bytes
    (b"<b>&.csv", "<b>&.csv"),  # mark-up is escaped where it is shown
]


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


NOT_FILES = [
    (make_pipe, incoming.Kind.PIPE),  # opening it would block
    (make_link, incoming.Kind.LINK),  # following it would leak
    (make_broken_link, incoming.Kind.LINK),  # following it would fail
    (Path.mkdir, incoming.Kind.FOLDER),  # a folder called x.csv
]


def test_a_dropped_file_is_found_with_its_folder_and_lane(folders, lane, later):
    (lane / "staff.csv").write_bytes(b"x")

    (found,) = incoming.scan(folders, now=later(60))

    assert found.folder == "mercy-hospital"
    assert found.lane is upload.Lane.LOW_VOLUME
    assert found.file_name == "staff.csv"
    assert found.kind is incoming.Kind.FILE
    assert found.is_settled


@pytest.mark.parametrize("name", TEMPORARY)
def test_a_temporary_name_is_passed_over_until_it_is_renamed(
    folders, lane, later, name
):
    (lane / name).write_bytes(b"x")
    assert incoming.scan(folders, now=later(60)) == []

    (lane / name).rename(lane / "staff.csv")

    assert len(incoming.scan(folders, now=later(60))) == 1


@pytest.mark.parametrize(("name", "shown"), ODD_NAMES)
def test_a_file_with_an_unusual_name_is_found_and_can_be_shown(
    folders, lane, later, name, shown
):
    Path(os.fsdecode(os.path.join(os.fsencode(lane), name))).write_bytes(b"x")  # noqa: PTH118 - bytes

    (found,) = incoming.scan(folders, now=later(60))

    assert found.file_name == shown
    assert found.is_settled


@pytest.mark.parametrize(("make", "kind"), NOT_FILES)
def test_links_pipes_and_folders_are_recognised_as_no_files(
    folders, lane, later, make, kind
):
    make(lane / "x.csv")

    (found,) = incoming.scan(folders, now=later(60))

    assert found.kind is kind
    assert found.is_settled


def test_a_socket_is_recognised_as_no_file(folders, lane, later, monkeypatch):
    monkeypatch.chdir(lane)  # its path would be too long for a socket
    make_socket(Path("x.csv"))

    (found,) = incoming.scan(folders, now=later(60))

    assert found.kind is incoming.Kind.SOCKET


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make device nodes")
def test_a_device_is_recognised_as_no_file(folders, lane, later):
    os.mknod(lane / "x.csv", stat.S_IFCHR | 0o600, os.makedev(1, 3))

    (found,) = incoming.scan(folders, now=later(60))

    assert found.kind is incoming.Kind.DEVICE


def test_a_folder_that_is_being_filled_is_not_settled(folders, lane, later):
    (lane / "x.csv").mkdir()

    (found,) = incoming.scan(folders, now=later(0))

    assert not found.is_settled


def test_a_folder_of_an_unknown_provider_is_scanned(folders, later):
    lane = folders.root / "Someone Else" / "high_volume"
    lane.mkdir(parents=True)
    (lane / "staff.csv").write_bytes(b"x")

    (found,) = incoming.scan(folders, now=later(60))

    assert found.folder == "Someone Else"
    assert found.is_settled


MISPLACED = [
    "staff.csv",  # right in the incoming folder
    "mercy-hospital/staff.csv",  # in the provider's folder, in no lane
    "mercy-hospital/Low_Volume",  # no lane is called so
]


@pytest.mark.parametrize("place", MISPLACED)
def test_a_file_outside_of_the_lanes_is_reported_and_not_moved(folders, later, place):
    path = folders.root / place
    path.write_bytes(b"x")

    (found,) = incoming.scan(folders, now=later(60))

    assert found.is_misplaced
    assert not found.is_settled
    assert path.exists()


def test_a_link_in_place_of_a_lane_is_not_followed(folders, lane, later, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.csv").write_bytes(b"x")
    lane.rmdir()
    lane.symlink_to(elsewhere)

    (found,) = incoming.scan(folders, now=later(60))

    assert found.is_misplaced
    assert found.file_name == "low_volume"


def test_results_are_no_uploads(folders, later):
    (folders.root / "mercy-hospital" / "results" / "BulkError.csv").write_bytes(b"x")

    assert incoming.scan(folders, now=later(60)) == []


def test_the_longest_unchanged_is_found_first(folders, lane, later):
    for name, age in (("new.csv", 10), ("old.csv", 50)):
        (lane / name).write_bytes(b"x")
        moment = later(-age).timestamp()
        os.utime(lane / name, (moment, moment))

    found = incoming.scan(folders, now=later(60))

    assert [each.file_name for each in found] == ["old.csv", "new.csv"]


def test_an_unavailable_incoming_folder_is_reported_without_a_file_name(
    tmp_path, later
):
    gone = incoming.Folders(root=tmp_path / "file" / "incoming", settle_seconds=1)
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(access.FolderAway, match=f"{gone.root} cannot be reached"):
        incoming.scan(gone, now=later(0))
