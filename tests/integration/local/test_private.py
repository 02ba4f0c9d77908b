import os
import pathlib
import stat

import pytest

from cvms_pipeline import disk
from cvms_pipeline.local import private


def mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_its_owner_alone(place: pathlib.Path) -> None:
    made = private.ensure_folder(place / "data" / "run")

    assert mode(made) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(
    place: pathlib.Path, mode: int
) -> None:
    opened = place / "run"
    opened.mkdir()
    opened.chmod(mode)

    with pytest.raises(private.UnsafeFolder, match="chmod 700"):
        private.ensure_folder(opened)


def test_a_link_is_not_taken_for_a_folder(place: pathlib.Path) -> None:
    elsewhere = private.ensure_folder(place / "elsewhere")
    link = place / "run"
    link.symlink_to(elsewhere)

    with pytest.raises(private.UnsafeFolder, match="not a folder"):
        private.ensure_folder(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_not_used(place: pathlib.Path) -> None:
    theirs = private.ensure_folder(place / "run")
    os.chown(theirs, 12345, 12345)

    with pytest.raises(private.UnsafeFolder, match="belongs to the system user 12345"):
        private.ensure_folder(theirs)


def test_a_file_is_written_for_its_owner_alone(place: pathlib.Path) -> None:
    path = place / "password"
    path.write_text("old and longer")

    disk.write(path, b"new")

    assert path.read_text() == "new"
    assert mode(path) == 0o600
    assert list(place.iterdir()) == [path]


AWKWARD = [
    "x" * 100,  # too long for a socket
    "a,b",  # a list, to libpq
    "a #b",  # a comment, to supervisord
    "100%",  # an expansion, to supervisord
]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_long_path_gets_a_short_socket_folder(place: pathlib.Path, name: str) -> None:
    chosen = private.choose_socket_folder(place / name, "socket")

    assert chosen != place / name
    assert len(os.fsencode(chosen / "socket")) <= 103
    assert chosen == private.choose_socket_folder(place / name, "socket")
    assert chosen != private.choose_socket_folder(place / "y" / name, "socket")


def test_a_plain_path_holds_its_sockets_itself(place: pathlib.Path) -> None:
    assert private.choose_socket_folder(place, "socket") == place
