"""A provider's folders and what `cvms drop` puts into them."""

import errno
import grp
import os
import stat
from pathlib import Path

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, incoming, names, provider_folders

LOW = upload.Lane.LOW_VOLUME


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def own_group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def test_the_folders_are_for_us_alone(folders):
    made = [folders.root / "mercy-hospital", *folders.root.glob("mercy-hospital/*")]

    assert [each.name for each in sorted(made)] == [
        "mercy-hospital",
        "high_volume",
        "low_volume",
        "results",
    ]
    assert {mode(each) for each in made} == {0o700}


def test_with_a_group_it_may_write_into_lanes_but_not_replace_them(tmp_path):
    folders = incoming.Folders(
        root=tmp_path / "incoming", settle_seconds=1, group=own_group()
    )

    made = provider_folders.make_folders(folders, "mercy")

    assert mode(folders.root) == 0o750
    assert mode(made) == 0o2750
    assert {mode(each) for each in made.iterdir()} == {0o2770}


def test_making_them_again_mends_their_modes(folders, lane):
    lane.chmod(0o777)
    (lane / "staff.csv").write_bytes(b"x")

    provider_folders.make_folders(folders, "mercy-hospital")

    assert mode(lane) == 0o700
    assert (lane / "staff.csv").exists()


def test_an_unknown_group_is_reported_with_the_setting(tmp_path):
    folders = incoming.Folders(
        root=tmp_path / "incoming", settle_seconds=1, group="nobody-knows"
    )

    with pytest.raises(
        provider_folders.GroupUnknown, match=r"CVMS_PROVIDER_GROUP.*groupadd"
    ):
        provider_folders.make_folders(folders, "mercy")

    assert not folders.root.exists()


@pytest.mark.parametrize("slug", ["../up", "", "Mercy", "a/b"])
def test_an_invalid_slug_never_becomes_a_folder(folders, slug):
    with pytest.raises(names.UnsafeName):
        provider_folders.make_folders(folders, slug)


def test_a_link_in_place_of_a_folder_is_not_followed(folders, lane, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    lane.rmdir()
    lane.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(access.FolderAway):
        provider_folders.make_folders(folders, "mercy-hospital")

    assert mode(tmp_path / "elsewhere") == 0o755


def drop(folders, source, name="staff.csv"):
    return provider_folders.put_file(
        folders, source, slug="mercy-hospital", lane=LOW, file_name=name
    )


def test_dropped_bytes_are_private_in_the_lane(folders, lane, later):
    put = drop(folders, b"rows")

    assert put == lane / "staff.csv"
    assert put.read_bytes() == b"rows"
    assert mode(put) == 0o600
    assert [f.file_name for f in incoming.scan(folders, now=later(60))] == ["staff.csv"]


def test_a_dropped_file_is_copied(folders, tmp_path):
    (tmp_path / "mine.csv").write_bytes(b"rows")

    put = drop(folders, tmp_path / "mine.csv")

    assert put.read_bytes() == b"rows"
    assert (tmp_path / "mine.csv").exists()


def test_a_name_that_is_taken_is_numbered(folders, lane):
    for content in (b"1", b"2", b"3"):
        drop(folders, content)

    dropped = {each.name: each.read_bytes() for each in lane.iterdir()}

    assert dropped == {
        "staff.csv": b"1",
        "staff (2).csv": b"2",
        "staff (3).csv": b"3",
    }


def test_without_hard_links_nothing_is_overwritten(folders, lane, monkeypatch):
    def refused(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)

    names = [drop(folders, content).name for content in (b"1", b"2")]

    assert names == ["staff.csv", "staff (2).csv"]
    assert sorted(each.read_bytes() for each in lane.iterdir()) == [b"1", b"2"]


def test_a_path_in_a_name_leads_nowhere(folders, lane):
    assert drop(folders, b"x", "../../../evil.csv") == lane / "evil.csv"


def test_the_error_for_a_provider_without_a_folder_says_how_to_create_it(folders):
    with pytest.raises(
        provider_folders.ProviderFolderMissing, match="cvms providers add"
    ):
        provider_folders.put_file(
            folders, b"x", slug="nobody", lane=LOW, file_name="a.csv"
        )


def test_a_failed_drop_leaves_nothing(folders, lane, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(access.DiskFull):
        drop(folders, b"x")

    assert list(lane.iterdir()) == []
