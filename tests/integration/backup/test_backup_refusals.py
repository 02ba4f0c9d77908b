"""What is not backed up or restored, and how that is said."""

import hashlib
import os
from dataclasses import replace

import backup_installations
import installations
import pytest

from cvms_pipeline import disk
from cvms_pipeline.database import dumps, engine
from cvms_pipeline.files import access, names
from cvms_pipeline.local.postgres import programs
from cvms_pipeline.maintenance import bundle, incoming_backup, restore

SUMS = "SHA256SUMS"


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def archived(backup):
    return next(path for path in (backup / "archive").rglob("*") if path.is_file())


# How a whole backup is spoilt, and how the error describes it.
SPOILT = [
    (lambda backup: (backup / SUMS).unlink(), "not a whole one"),  # the copy broke off
    (lambda backup: cut_in_half(backup / SUMS), "not a whole one"),
    (lambda backup: (backup / SUMS).write_bytes(b""), "not a whole one"),
    (lambda backup: (backup / "backup.json").unlink(), "backup.json is missing"),
    (lambda backup: archived(backup).unlink(), "archive/.* is missing"),
    (lambda backup: archived(backup).write_bytes(b"other"), "damaged at archive/"),
    (lambda backup: cut_in_half(backup / "database.dump"), "damaged at database.dump"),
    (lambda backup: (backup / "more").touch(), "more does not belong to it"),
    (lambda backup: change(backup, '"format": 2', '"format": 9'), "another version"),
]


@pytest.fixture
def made(site, vault):
    site.bring([installations.ANN])
    vault.make()
    return vault


@pytest.mark.parametrize(("spoil", "description"), SPOILT)
def test_a_spoilt_backup_is_recognised_before_anything_is_written(
    made, fresh, spoil, description
):
    spoil(made.path)

    with pytest.raises(bundle.BackupDamaged, match=description):
        fresh.restore(made.path)

    assert not (fresh.home / "data" / "archive").exists()
    assert not fresh.marker.exists()


def test_a_link_in_a_backup_is_not_followed(made, fresh, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    archived(made.path).rename(elsewhere)
    (made.path / "archive" / "link").symlink_to(elsewhere)

    with pytest.raises(bundle.BackupDamaged, match="is missing"):
        fresh.restore(made.path)


def test_an_error_does_not_name_a_file_of_a_provider(site, vault):
    site.drop([installations.ANN], file_name="Canarywood.csv")
    vault.make()
    next((vault.path / "incoming").rglob("Canarywood.csv")).unlink()

    with pytest.raises(bundle.BackupDamaged) as damaged:
        bundle.verify(vault.path)

    assert str(damaged.value) == f"{vault.path} is not whole: incoming is missing."


def test_a_backup_of_the_earlier_form_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "backup.tar"
    path.touch()

    with pytest.raises(bundle.BackupDamaged, match="earlier version in another form"):
        bundle.verify(path)


def test_a_missing_backup_is_reported_as_unavailable(tmp_path):
    with pytest.raises(access.FolderAway):
        bundle.verify(tmp_path / "none")


# What may be at the place of a new backup.
THERE = [os.mkdir, lambda path: path.touch(), lambda path: path.symlink_to("nowhere")]


@pytest.mark.parametrize("put", THERE)
def test_a_backup_never_replaces_anything(vault, put):
    put(vault.path)
    before = vault.path.lstat()

    with pytest.raises(bundle.BackupExists):
        vault.make()

    assert vault.path.lstat() == before


def test_a_file_that_appeared_meanwhile_is_not_replaced(site, vault, monkeypatch):
    def come():
        vault.path.mkdir()
        (vault.path / "somebody's").touch()

    with (
        backup_installations.in_the_middle(monkeypatch, bundle, "write_sums", come),
        pytest.raises(bundle.BackupExists),
    ):
        vault.make()

    assert vault.names() == ["somebody's"]


def test_a_backup_that_fails_leaves_nothing(site, vault):
    def missing(name, major):
        raise programs.ProgramMissing

    with pytest.raises(programs.ProgramMissing):
        vault.make(find_program=missing)

    assert not [p for p in vault.path.parent.iterdir() if p.name != "old"]


def test_a_backup_into_a_missing_folder_is_refused_with_the_reason(vault, tmp_path):
    elsewhere = replace(vault, path=tmp_path / "none" / "backup")

    with pytest.raises(access.FolderAway):
        elsewhere.make()


def test_a_database_that_is_not_empty_is_not_replaced(made, fresh, site):
    fresh.restore(made.path)

    with pytest.raises(restore.InstallationInUse, match="providers or uploads"):
        fresh.restore(made.path)


def test_existing_files_are_not_mixed_with_restored_ones(made, fresh):
    put(fresh, b"somebody's")

    with pytest.raises(restore.InstallationInUse, match="Files lie in"):
        fresh.restore(made.path)


def test_a_database_with_other_connections_is_not_replaced(made, fresh):
    other = engine.Store(fresh.target.url, pool_size=1)

    with (
        other.begin(),
        pytest.raises(restore.InstallationInUse, match="by cvms"),
    ):
        fresh.restore(made.path)

    other.close()


def test_a_backup_of_a_later_version_is_not_restored(made, fresh):
    change(made.path, '"revision": "', '"revision": "9')

    with pytest.raises(restore.BackupTooNew, match="later version"):
        fresh.restore(made.path)


def test_a_backup_of_a_later_postgres_is_not_restored(made, fresh):
    change(made.path, '"server": 18', '"server": 99')

    with pytest.raises(restore.BackupTooNew, match="PostgreSQL 99"):
        fresh.restore(made.path)


def test_a_restore_that_was_interrupted_can_be_repeated(made, fresh, monkeypatch):
    def no_room(*_words):
        raise access.DiskFull

    with monkeypatch.context() as context:
        context.setattr(dumps, "load", no_room)
        with pytest.raises(access.DiskFull):
            fresh.restore(made.path)
    is_marked = fresh.marker.exists()
    fresh.restore(made.path)

    assert is_marked
    assert not fresh.marker.exists()
    assert len(fresh.archived()) == 1


def test_a_restore_after_another_backups_interrupted_one_is_refused(made, fresh):
    put(fresh, b"half of it")
    disk.write(fresh.marker, b"another backup's digest")

    with pytest.raises(restore.InstallationInUse):
        fresh.restore(made.path)


def test_a_restore_with_other_numbers_of_rows_fails(made, fresh):
    change(made.path, '"cvms.uploads": 1', '"cvms.uploads": 2')

    with pytest.raises(restore.RestoreDiffers):
        fresh.restore(made.path)


# Files that would lie where nothing of a backup belongs.
UNSAFE = [
    "archive/202601/more/20260102-030405-abcdefgh",
    "archive/202601/..evil",
    "incoming/.claims/20260102-030405-abcdefgh/other",
    "incoming/.claims/..evil/original",
    "incoming/.elsewhere/low_volume/x.csv",
    "incoming/mercy/results/x.csv",
    "incoming/mercy/low_volume/.hidden",
    "incoming/mercy/low_volume/more/x.csv",
    "elsewhere",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_file_that_belongs_nowhere_stops_a_restore(made, fresh, name):
    path = made.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"evil")
    with (made.path / SUMS).open("a") as sums:
        sums.write(f"{hashlib.sha256(b'evil').hexdigest()}  {name}\n")

    with pytest.raises((incoming_backup.NameUnsafe, names.UnsafeName)):
        fresh.restore(made.path)

    assert not [path for path in fresh.home.rglob("*") if path.is_file()]


def test_the_error_of_a_failing_dump_is_shown_without_quoted_values(
    site, vault, tmp_path
):
    fails = tmp_path / "pg_dump"
    fails.write_text(
        '#!/bin/sh\necho "pg_dump: error: no \\"Ann Lee\\" here" >&2\nexit 1'
    )
    fails.chmod(0o700)

    with pytest.raises(dumps.DumpFailed) as failed:
        vault.make(find_program=lambda *_: fails)

    assert str(failed.value) == 'The tables could not be dumped. no "..." here'


def test_no_password_is_on_a_command_line(site, tmp_path):
    shows = program(
        tmp_path, 'echo "$@" >"${0%/*}/words"; echo "$PGPASSWORD" >"${0%/*}/secret"'
    )
    place = "db.example.org:5432/cvms?sslmode=require"
    url = f"postgresql+psycopg2://cvms:not-for-all@{place}"

    with dumps.open_snapshot(site.pipeline.store) as taken:
        dumps.dump(url, taken, shows, tmp_path / "dump")

    words = (tmp_path / "words").read_text()
    assert "db.example.org" in words
    assert "sslmode=require" in words
    assert "not-for-all" not in words
    assert (tmp_path / "secret").read_text().strip() == "not-for-all"


def test_a_program_of_another_version_is_not_used(monkeypatch, tmp_path):
    program(tmp_path, "echo 'pg_dump (PostgreSQL) 9.6.1'")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(
        programs.ProgramMissing, match="apt install postgresql-client-97"
    ):
        programs.find_program("pg_dump", 97)


def program(folder, script):
    """Make a `pg_dump` that does something else."""
    path = folder / "pg_dump"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def put(fresh, data):
    """Put something into the archive of a fresh installation."""
    path = fresh.target.archive / "202601" / "20260102-030405-abcdefgh"
    disk.write(path, data)


def change(backup, old, new):
    """Change what the backup says about itself, and its digest as well."""
    facts, sums = backup / "backup.json", backup / SUMS
    text = facts.read_text()
    changed = text.replace(old, new)
    assert changed != text
    facts.write_text(changed)
    digests = [hashlib.sha256(each.encode()).hexdigest() for each in (text, changed)]
    sums.write_bytes(sums.read_bytes().replace(*(d.encode() for d in digests)))
