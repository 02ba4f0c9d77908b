"""A backup of what the service's user may not read: the rest is whole."""

import os

import pytest
import typer
import users
from installations import ANN, BOB

from cvms_pipeline.cli import backups
from cvms_pipeline.database import dumps
from cvms_pipeline.files import incoming
from cvms_pipeline.local.postgres import programs
from cvms_pipeline.maintenance import backup, bundle
from cvms_pipeline.settings import loading
from cvms_pipeline.use_cases import receive


@pytest.fixture
def make(site, database_url, monkeypatch):
    """Make a backup; the programs of Postgres may be closed to the service's user."""
    real = dumps.dump

    def dump(url, snapshot, program, path):
        with users.working_as(0):
            real(url, snapshot, program, path)
            os.chown(path, users.SERVICE, users.SERVICE)

    def find_program(name, major):
        with users.working_as(0):
            return programs.find_program(name, major)

    monkeypatch.setattr(dumps, "dump", dump)
    data = site.home / "data"
    installation = backup.Installation(
        url=database_url,
        actor="user:ops",
        find_program=find_program,
        folders=incoming.Folders(root=data / "incoming", settle_seconds=0),
        archive=data / "archive",
        key=None,
    )
    return lambda: backup.make(installation, site.home / "backup", now=loading.now)


@pytest.fixture
def close(site, as_root):
    """Give a file to root alone."""

    def closed(path) -> None:
        with as_root():
            os.chown(path, 0, 0)
            path.chmod(0o600)

    return closed


def test_a_closed_file_in_quarantine_is_named_and_the_rest_is_in_the_backup(
    site, make, as_provider
):
    kept = site.bring([ANN])
    with as_provider():
        path = site.lane() / "large.csv"
        path.write_bytes(b"x" * 10_000_001)
        path.chmod(0o600)
    (large,) = (taken.id for taken in site.take_in())
    site.process(large)

    made = make()

    name = f"incoming/.quarantine/{large}/original"
    assert (made.unreadable, made.missing, made.left_out) == ([name], [], 0)
    verified = bundle.verify(site.home / "backup")
    assert f"archive/{kept[:6]}/{kept}" in verified.names
    assert verified.facts["unreadable"] == [name]


def test_a_closed_file_in_an_open_claim_or_a_lane_is_named_without_its_name(
    site, make, as_provider
):
    for name in ("Ann.csv", "Bob.csv"):
        with as_provider():
            (site.lane() / name).write_bytes(b"x")
            (site.lane() / name).chmod(0o600)
        if name == "Ann.csv":
            receive.receive(site.pipeline)

    made = make()

    (claim,) = (each.name for each in site.pipeline.folders.claims.glob("2*"))
    assert made.unreadable == [
        "a file in incoming/mercy/low_volume",
        f"incoming/.claims/{claim}/original",
    ]


def test_a_closed_file_in_the_archive_is_named_and_not_called_missing(
    site, make, close
):
    first, second = site.bring([ANN]), site.receive([BOB])
    close(site.pipeline.archive.path(second))

    made = make()

    name = f"archive/{second[:6]}/{second}"
    assert (made.unreadable, made.missing, made.archived) == ([name], [], 1)
    assert f"archive/{first[:6]}/{first}" in bundle.verify(site.home / "backup").names


def test_the_command_names_what_is_not_in_the_backup_and_ends_with_1(
    site, make, close, capsys, monkeypatch
):
    upload_id = site.receive([ANN])
    close(site.pipeline.archive.path(upload_id))
    real = make()
    monkeypatch.setattr(backup, "make", lambda *_, **__: real)

    with pytest.raises(typer.Exit) as ended:
        backups.backup(site.home / "other")

    assert ended.value.exit_code == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert f"because we may not read it: archive/{upload_id[:6]}/{upload_id}" in shown
