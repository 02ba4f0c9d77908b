"""Archive, reports and work folder: private, whole, and safe to repeat."""

import os
import stat
from pathlib import Path

import pytest

from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import access, archive, names

ID = "20260105-101500-abcdefgh"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_archive_keeps_bytes_read_only_by_month(shelves):
    shelves.write(ID, b"rows")

    assert shelves.path(ID) == shelves.root / "202601" / ID
    assert shelves.read(ID) == b"rows"
    assert mode(shelves.path(ID)) == 0o400
    assert mode(shelves.path(ID).parent) == 0o700


def test_the_archive_takes_the_same_bytes_again_and_no_others(shelves):
    shelves.write(ID, b"rows")

    shelves.write(ID, b"rows")
    with pytest.raises(archive.ArchiveDiffers):
        shelves.write(ID, b"other rows")

    assert shelves.read(ID) == b"rows"


def test_a_file_that_the_archive_lacks_is_reported_by_its_id(shelves):
    with pytest.raises(archive.ArchiveMissing, match=ID):
        shelves.read(ID)


def test_the_archive_is_compared_with_the_digest_that_was_noted(shelves):
    shelves.write(ID, b"rows")

    assert shelves.read(ID, sha256=upload.compute_sha256(b"rows")) == b"rows"
    with pytest.raises(archive.ArchiveDamaged, match=ID):
        shelves.read(ID, sha256=upload.compute_sha256(b"other rows"))


def test_removing_from_the_archive_also_removes_leftovers_of_a_crash(shelves):
    shelves.write(ID, b"rows")
    left = shelves.path(ID).with_name(f".{ID}.0123.tmp")
    left.write_bytes(b"half")

    shelves.remove(ID)
    shelves.remove(ID)

    assert not shelves.path(ID).parent.exists()


@pytest.mark.parametrize("upload_id", ["../../etc", "", "a/b", ".claims", "a" * 65])
def test_an_invalid_upload_id_never_becomes_a_path(tmp_path, upload_id):
    with pytest.raises(names.UnsafeName):
        archive.Archive(tmp_path).path(upload_id)
    with pytest.raises(names.UnsafeName):
        archive.Reports(tmp_path).path(upload_id)
    with pytest.raises(names.UnsafeName):
        archive.Work(tmp_path).path(upload_id, "rows")


def test_a_crash_while_writing_leaves_the_old_content(tmp_path, monkeypatch):
    kept = archive.Reports(tmp_path)
    kept.write(ID, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(access.DiskFull):
        kept.write(ID, b"new")

    assert kept.read(ID) == b"old"
    assert [each.name for each in kept.path(ID).parent.iterdir()] == ["BulkError.csv"]


def test_a_report_is_kept_replaced_and_removed(tmp_path):
    kept = archive.Reports(tmp_path / "reports")

    kept.write(ID, b"old")
    kept.write(ID, b"new")

    assert kept.read(ID) == b"new"
    assert mode(kept.path(ID)) == 0o600
    kept.remove(ID)
    with pytest.raises(archive.ReportMissing, match=ID):
        kept.read(ID)


def test_work_is_kept_by_upload_and_name_until_it_is_removed(tmp_path):
    kept = archive.Work(tmp_path / "work")
    kept.write(ID, "recipients.read_rows", [b"ro", memoryview(b"ws")])

    with kept.opened(ID, "recipients.read_rows") as file:
        assert file.read() == b"rows"
    assert kept.list_ids() == [ID]
    assert mode(kept.path(ID, "recipients.read_rows")) == 0o600

    kept.remove(ID)
    kept.remove(ID)

    with kept.opened(ID, "recipients.read_rows") as file:
        assert file is None
    assert kept.list_ids() == []


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "x" * 300])
def test_a_name_of_work_never_leads_elsewhere(tmp_path, name):
    with pytest.raises(names.UnsafeName):
        archive.Work(tmp_path).path(ID, name)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_reported_with_the_remedy(tmp_path):
    (tmp_path / "work").mkdir(mode=0o500)

    with pytest.raises(access.FolderForbidden, match="all permissions"):
        archive.Work(tmp_path / "work").write(ID, "rows", b"x")
