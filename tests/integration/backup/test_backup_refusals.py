"""What is not backed up or restored, and how that is said."""

import io
import os
import tarfile

import installations
import pytest

from cvms_pipeline.files import bundle, disk, faults, rescue
from cvms_pipeline.ingest import backup, restore
from cvms_pipeline.local import programs
from cvms_pipeline.store import dumps, engine

# How a whole backup is spoilt, and what is said of it.
SPOILT = [
    (lambda data: data[: len(data) // 2], "not a whole one"),  # the copy broke off
    (lambda data: data[:10240], "not whole|not a whole one"),  # much earlier
    (lambda data: b"", "not a whole one"),  # nothing of it arrived
    (lambda data: data.replace(b"Ann,Lee", b"Eve,Lee"), "damaged at archive/"),
    (lambda data: data.replace(b'"format": 1', b'"format": 9'), "another version"),
    (lambda data: data.replace(b'"members"', b'"numbers"'), "itself is damaged"),
]


@pytest.fixture
def made(site, vault):
    site.bring([installations.ANN])
    vault.make()
    return vault


@pytest.mark.parametrize(("spoil", "said"), SPOILT, ids=lambda each: str(each)[:20])
def test_a_spoilt_backup_is_recognised_before_anything_is_written(
    made, fresh, spoil, said
):
    made.path.write_bytes(spoil(made.path.read_bytes()))

    with pytest.raises(bundle.BackupDamaged, match=said):
        fresh.restore(made.path)

    assert not (fresh.home / "data" / "archive").exists()
    assert not fresh.target.marker.exists()


def test_a_backup_never_replaces_a_file(made):
    before = made.path.read_bytes()

    with pytest.raises(bundle.BackupExists):
        made.make()

    assert made.path.read_bytes() == before


def test_a_backup_that_fails_leaves_nothing(site, vault):
    def missing(major):
        raise programs.ProgramMissing

    with pytest.raises(programs.ProgramMissing):
        vault.make(pg_dump=missing)

    assert not [p for p in vault.path.parent.iterdir() if p.name != "old"]


def test_a_backup_into_no_folder_says_so(vault, tmp_path):
    source = vault.source()

    with pytest.raises(faults.FolderAway):
        backup.make(source, tmp_path / "none" / "backup.tar")


def test_a_database_that_holds_something_is_not_replaced(made, fresh, site):
    fresh.restore(made.path)

    with pytest.raises(restore.InstallationInUse, match="providers or uploads"):
        fresh.restore(made.path)


def test_files_that_lie_there_are_not_mixed_with_others(made, fresh):
    fresh.target.archive.write("20260102-030405-abcdefgh", b"somebody's")

    with pytest.raises(restore.InstallationInUse, match="Files lie in"):
        fresh.restore(made.path)


def test_a_database_that_somebody_uses_is_not_replaced(made, fresh):
    other = engine.Store(fresh.target.url, pool_size=1)

    with (
        other.begin(),
        pytest.raises(restore.InstallationInUse, match="by cvms"),
    ):
        fresh.restore(made.path)

    other.close()


def test_a_backup_of_a_later_version_is_not_restored(made, fresh):
    _change(made.path, b'"revision": "', b'"revision": "9')

    with pytest.raises(restore.BackupTooNew, match="later version"):
        fresh.restore(made.path)


def test_a_backup_of_a_later_postgres_is_not_restored(made, fresh):
    _change(made.path, b'"server": 18', b'"server": 99')

    with pytest.raises(restore.BackupTooNew, match="PostgreSQL 99"):
        fresh.restore(made.path)


def test_a_restore_that_was_interrupted_can_be_repeated(made, fresh, monkeypatch):
    def no_room(*_words):
        raise faults.DiskFull

    with monkeypatch.context() as context:
        context.setattr(dumps, "load", no_room)
        with pytest.raises(faults.DiskFull):
            fresh.restore(made.path)
    is_marked = fresh.target.marker.exists()
    fresh.restore(made.path)

    assert is_marked
    assert not fresh.target.marker.exists()
    assert len(fresh.archived()) == 1


def test_a_restore_after_another_backups_interrupted_one_is_refused(made, fresh):
    fresh.target.archive.write("20260102-030405-abcdefgh", b"half of it")
    disk.write(fresh.target.marker, b"another backup's digest")

    with pytest.raises(restore.InstallationInUse):
        fresh.restore(made.path)


def test_rows_that_do_not_add_up_are_no_restore(made, fresh):
    _change(made.path, b'"cvms.uploads": 1', b'"cvms.uploads": 2')

    with pytest.raises(restore.RestoreDiffers):
        fresh.restore(made.path)


# Members that would lie where nothing of a backup belongs.
UNSAFE = [
    "archive/../../evil",
    "archive/20260102-030405-abcdefgh/more",
    "claims/20260102-030405-abcdefgh/other",
    "incoming/Li4=/low_volume/eC5jc3Y=",  # ..
    "incoming/bWVyY3k=/results/eC5jc3Y=",
    "incoming/bWVyY3k=/low_volume/Li4vLi4veC5jc3Y=",  # ../../x.csv
    "incoming/bWVyY3k=/low_volume/%%%",
    "elsewhere",
]


@pytest.mark.parametrize("member", UNSAFE)
def test_nothing_is_written_outside_its_place(fresh, member):
    with pytest.raises((rescue.NameUnsafe, disk.UnsafeName)):
        rescue.put_back(
            fresh.target.folders, fresh.target.archive, member, io.BytesIO(b"evil")
        )

    assert not [path for path in fresh.home.rglob("*") if path.is_file()]


def test_a_failing_dump_is_told_without_what_stands_in_quotes(site, vault, tmp_path):
    fails = tmp_path / "pg_dump"
    fails.write_text(
        '#!/bin/sh\necho "pg_dump: error: no \\"Ann Lee\\" here" >&2\nexit 1'
    )
    fails.chmod(0o700)

    with pytest.raises(dumps.DumpFailed) as failed:
        vault.make(pg_dump=lambda _major: fails)

    assert str(failed.value) == 'The tables could not be dumped. no "..." here'


def test_no_password_is_on_a_command_line(site, tmp_path):
    shows = program(
        tmp_path, 'echo "$@" >"${0%/*}/words"; echo "$PGPASSWORD" >"${0%/*}/secret"'
    )
    place = "db.example.org:5432/cvms?sslmode=require"
    url = f"postgresql+psycopg2://cvms:not-for-all@{place}"

    with dumps.snapshot(site.pipeline.store) as taken:
        dumps.dump(url, taken, shows, tmp_path / "dump")

    words = (tmp_path / "words").read_text()
    assert "db.example.org" in words
    assert "sslmode=require" in words
    assert "not-for-all" not in words
    assert (tmp_path / "secret").read_text().strip() == "not-for-all"


def test_a_program_of_another_version_is_no_help(monkeypatch, tmp_path):
    program(tmp_path, "echo 'pg_dump (PostgreSQL) 9.6.1'")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(
        programs.ProgramMissing, match="apt install postgresql-client-97"
    ):
        programs.find("pg_dump", 97)


def program(folder, script):
    """Make a `pg_dump` that does something else."""
    path = folder / "pg_dump"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def _change(path, old, new):
    """Change what the backup says of itself; its length may change."""
    with tarfile.open(path) as tar:
        members = [(info.name, tar.extractfile(info).read()) for info in tar]
    path.unlink()
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            text = data.replace(old, new) if name == "manifest.json" else data
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
