import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from cvms_pipeline import errors
from cvms_pipeline.cli import running, status
from cvms_pipeline.local import processes
from cvms_pipeline.local.postgres import embedded
from cvms_pipeline.settings import loading

ADDRESSES = {"Dagster UI": "http://127.0.0.1:3999"}


def test_a_command_runs_the_embedded_database_while_it_needs_it(alone):
    ended = alone.cvms("providers", "list", "--json")

    assert (ended.code, ended.json) == (0, [])
    assert not embedded.EmbeddedPostgres(alone.home / "data").is_running()


def test_the_addresses_are_printed_with_the_next_step(terminal, capsys):
    running.print_addresses(loading.load(), ADDRESSES)
    running.print_next_step(loading.load())

    shown = capsys.readouterr().out
    assert ADDRESSES["Dagster UI"] in shown
    assert "/incoming/<provider>/low_volume/" in shown
    assert "cvms providers add --help" in shown


def test_the_next_step_is_not_shown_where_somebody_may_upload(terminal, mercy, capsys):
    running.print_next_step(loading.load())

    assert "cvms providers add" not in capsys.readouterr().out


@pytest.mark.parametrize("url", [None, "smtp://user:secret@mail.example.org"])
def test_the_destination_of_messages_is_shown_without_a_password(alone, url):
    place = status.describe_mail(loading.load(smtp_url=url))

    assert ("CVMS_SMTP_URL" in place) == (url is not None)
    assert "secret" not in place


def test_dagster_s_tables_that_cannot_be_created_are_reported_with_the_log(
    terminal, monkeypatch
):
    monkeypatch.setattr(processes, "PREPARE", "cvms_pipeline.nothing_like_it")

    with pytest.raises(errors.PermanentError, match=r"logs/prepare\.log"):
        running.migrate(loading.load())

    log = (terminal.home / "data" / "logs" / "prepare.log").read_text()
    assert "nothing_like_it" in log


def test_a_database_is_available_only_if_it_answers(terminal, alone, monkeypatch):
    answering = running.is_database_available(loading.load())
    monkeypatch.delenv("CVMS_DATABASE_URL")

    assert answering
    assert not running.is_database_available(loading.load())


@pytest.mark.parametrize("words", [("uploads",), ("db", "upgrade")])
def test_an_unreachable_database_is_reported_with_its_setting(
    alone, tmp_path, monkeypatch, words
):
    nobody = f"postgresql://me:canary@/cvms?host={tmp_path}"
    monkeypatch.setenv("CVMS_DATABASE_URL", nobody)

    ended = alone.cvms(*words)

    assert ended.code == 1
    assert ended.err.rstrip().endswith("Start it, or check CVMS_DATABASE_URL.")
    assert "canary" not in ended.err


@pytest.fixture
def full_disk(alone) -> Iterator[pathlib.Path]:
    """A data folder in which nothing can be made."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = alone.home / "data"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "nr_inodes=1,mode=0700", "cvms-full", folder]
    subprocess.run(mount, check=True)  # noqa: S603  # our own words
    yield folder
    subprocess.run(["umount", folder], check=True)  # noqa: S603, S607  # the same


def test_a_start_on_a_full_disk_ends_with_a_sentence(alone, full_disk):
    ended = alone.cvms("up")

    sentence = f"Error: No room left for {full_disk}/run. Free some disk space.\n"
    assert (ended.code, ended.err) == (1, sentence)
