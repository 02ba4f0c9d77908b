"""`cvms backup` and `cvms restore`."""

import fcntl
import os

import pytest

ROW = "Ann,Lee,1/2/1990,ann@b.example.org"


@pytest.fixture
def elsewhere(terminal, postgres, tmp_path, monkeypatch):
    """Turn the terminal to a fresh installation."""
    with postgres.database("template0") as url:

        def turn():
            home = tmp_path / "elsewhere"
            home.mkdir()
            monkeypatch.setenv("CVMS_HOME", str(home))
            monkeypatch.setenv("CVMS_DATABASE_URL", url)
            return home

        yield turn


def test_a_restore_recovers_everything_in_the_backup(
    terminal, done, elsewhere, tmp_path
):
    path = tmp_path / "backup"
    before = terminal.cvms("upload", done, "--json").json

    made = terminal.cvms("backup", path)
    elsewhere()
    restored = terminal.cvms("restore", path)

    assert (made.code, restored.code) == (0, 0), restored.err
    after = terminal.cvms("upload", done, "--json").json
    assert after == {
        **before,
        "report": None,
    }  # it is written again when it is asked for
    assert "Restored. `cvms up` goes on from there." in restored.out


def test_backup_and_restore_are_in_the_audit(terminal, done, elsewhere, tmp_path):
    path = tmp_path / "backup"
    terminal.cvms("backup", path)
    made = terminal.cvms("audit", "--json").json
    elsewhere()
    terminal.cvms("restore", path)
    restored = terminal.cvms("audit", "--json").json

    assert made[0]["event"] == "backup-made"
    assert restored[0]["event"] == "backup-restored"
    assert restored[0]["actor"].startswith("user:")


def test_a_backup_can_be_checked_without_an_installation(
    terminal, done, tmp_path, monkeypatch
):
    path = tmp_path / "backup"
    terminal.cvms("backup", path)
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    ended = terminal.cvms("restore", "--check", path)

    assert ended.code == 0
    assert "is whole and undamaged" in ended.out


def test_a_damaged_backup_is_found_by_the_check(terminal, done, tmp_path):
    path = tmp_path / "backup"
    terminal.cvms("backup", path)
    (archived,) = (path / "archive").glob("*/*")
    archived.write_bytes(archived.read_bytes().replace(b"Bob,Lee", b"Eve,Lee"))

    ended = terminal.cvms("restore", "--check", path)

    assert ended.code == 1
    assert "is damaged at archive/" in ended.err


def test_an_installation_that_is_not_empty_is_not_restored(terminal, done, tmp_path):
    path = tmp_path / "backup"
    terminal.cvms("backup", path)

    ended = terminal.cvms("restore", path)

    assert ended.code == 1
    assert "The database holds providers or uploads" in ended.err


def test_a_running_installation_is_not_restored(terminal, done, elsewhere, tmp_path):
    path = tmp_path / "backup"
    terminal.cvms("backup", path)
    run = elsewhere() / "data" / "run"
    run.mkdir(parents=True, mode=0o700)
    (run.parent).chmod(0o700)
    lock = os.open(run / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)

    ended = terminal.cvms("restore", path)
    os.close(lock)

    assert ended.code == 1
    assert "`cvms up` is running already" in ended.err


def test_an_interrupted_restore_prevents_the_start(terminal, mercy):
    run = terminal.home / "data" / "run"
    run.mkdir(exist_ok=True, mode=0o700)
    (run / "restoring").touch()

    ended = terminal.cvms("up")

    assert ended.code == 1
    assert "A restore was interrupted" in ended.err


def test_a_missing_archived_file_is_named_and_the_rest_is_backed_up(
    terminal, pipeline, done, tmp_path
):
    path = pipeline.archive.path(done)
    path.chmod(0o600)
    path.write_bytes(b"something else")

    ended = terminal.cvms("backup", tmp_path / "backup")

    assert ended.code == 1
    assert f"The archive has other bytes for {done}" in ended.err
    assert terminal.cvms("restore", "--check", tmp_path / "backup").code == 0


def test_a_key_in_the_settings_is_not_in_the_backup(
    terminal, done, tmp_path, monkeypatch
):
    monkeypatch.setenv("CVMS_SECRET_KEY", "canary" * 6)
    path = tmp_path / "backup"

    ended = terminal.cvms("backup", path)

    assert "CVMS_SECRET_KEY is a setting, and not in the backup" in ended.err
    files = [each for each in path.rglob("*") if each.is_file()]
    assert path / "secret_key" not in files
    assert not [each for each in files if b"canarycanary" in each.read_bytes()]
