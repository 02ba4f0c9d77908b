import pytest

from cvms_pipeline import settings
from cvms_pipeline.cli import access, running
from cvms_pipeline.local import postgres

ADDRESSES = {"Dagster UI": "http://127.0.0.1:3999"}


def test_a_command_runs_the_embedded_database_while_it_needs_it(alone):
    ended = alone.cvms("providers", "list", "--json")

    assert (ended.code, ended.json) == (0, [])
    assert not postgres.EmbeddedPostgres(alone.home / "data").is_running()


def test_what_runs_where_is_shown_with_the_next_step(terminal, capsys):
    running.show(settings.load(), ADDRESSES)
    running.show_next_step(settings.load())

    shown = capsys.readouterr().out
    assert ADDRESSES["Dagster UI"] in shown
    assert "/incoming/<provider>/low_volume/" in shown
    assert "cvms providers add --help" in shown


def test_the_next_step_is_not_shown_where_somebody_may_upload(terminal, mercy, capsys):
    running.show_next_step(settings.load())

    assert "cvms providers add" not in capsys.readouterr().out


@pytest.mark.parametrize("url", [None, "smtp://user:secret@mail.example.org"])
def test_where_messages_go_is_told_without_a_password(alone, url):
    place = running.mail_place(settings.load(smtp_url=url))

    assert ("CVMS_SMTP_URL" in place) == (url is not None)
    assert "secret" not in place


def test_dagster_s_tables_that_cannot_be_made_are_told_with_the_log(
    terminal, monkeypatch
):
    monkeypatch.setattr(running, "PREPARE", "cvms_pipeline.nothing_like_it")

    with pytest.raises(running.PreparationFailed, match=r"logs/prepare\.log"):
        running.migrate(settings.load())

    log = (terminal.home / "data" / "logs" / "prepare.log").read_text()
    assert "nothing_like_it" in log


def test_a_database_is_at_hand_only_where_one_answers(terminal, alone, monkeypatch):
    answering = access.is_at_hand(settings.load())
    monkeypatch.delenv("CVMS_DATABASE_URL")

    assert answering
    assert not access.is_at_hand(settings.load())


@pytest.mark.parametrize("words", [("uploads",), ("db", "upgrade")])
def test_a_database_that_is_away_is_told_with_its_setting(
    alone, tmp_path, monkeypatch, words
):
    nobody = f"postgresql://me:canary@/cvms?host={tmp_path}"
    monkeypatch.setenv("CVMS_DATABASE_URL", nobody)

    ended = alone.cvms(*words)

    assert ended.code == 1
    assert ended.err.rstrip().endswith("Start it, or check CVMS_DATABASE_URL.")
    assert "canary" not in ended.err
