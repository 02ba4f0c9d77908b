"""Secrets: where they may come from, and that nothing repeats them."""

import os
import subprocess
import sys

import pytest
import typer.main

from cvms_pipeline import errors
from cvms_pipeline.cli.__main__ import app
from cvms_pipeline.local import processes
from cvms_pipeline.settings import loading, variables
from docs import generate

CANARY = "canary-secret-of-at-least-32-characters"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def mounted(place):
    """A folder as Docker and Kubernetes mount secrets: a file a variable."""
    folder = place / "secrets"
    folder.mkdir()
    (folder / "CVMS_SECRET_KEY").write_text(f"{CANARY}\n")
    (folder / "CVMS_DATABASE_URL").write_text("postgresql://u:file@db/cvms\n")
    return folder


def test_a_secret_is_read_from_the_file_called_like_its_variable(
    place, mounted, monkeypatch
):
    monkeypatch.setenv("CVMS_SECRETS_DIR", str(mounted))

    loaded = loading.load(home=place)

    assert loaded.links.secret_key.get_secret_value() == CANARY
    assert loaded.urls.store == "postgresql+psycopg2://u:file@db/cvms"


def test_the_folder_of_secrets_may_be_named_in_the_env_file(place, mounted):
    (place / ".env").write_text("CVMS_SECRETS_DIR=secrets\n")

    assert "u:file@" in loading.load(home=place).urls.store


def test_a_variable_takes_precedence_over_its_file(place, mounted, monkeypatch):
    monkeypatch.setenv("CVMS_SECRETS_DIR", str(mounted))
    monkeypatch.setenv("CVMS_DATABASE_URL", "postgresql://u:variable@db/cvms")

    assert "u:variable@" in loading.load(home=place).urls.store


def test_a_missing_folder_of_secrets_is_reported(place, monkeypatch):
    monkeypatch.setenv("CVMS_SECRETS_DIR", "nowhere")

    with pytest.raises(variables.SettingError, match="nowhere"):
        loading.load(home=place)


# Wrong values with a password in them, as people mistype them.
WRONG = [
    ("database_url", f"mysql://u:{CANARY}@db/cvms"),  # another database
    ("database_url", f"postgresql://u:{CANARY}/x@db/cvms"),  # a slash in it
    ("database_url", f"postgresql://u:{CANARY}@db:port/cvms"),  # no port
    ("migration_database_url", f"{CANARY}@db"),  # no scheme
    ("smtp_url", f"smtp://u:{CANARY}@mail:x"),  # no port
    ("smtp_url", f"ftp://u:{CANARY}@mail"),  # no mail server
    ("secret_key", "canary"),  # too short
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_secret_is_reported_without_its_value(place, name, value, monkeypatch):
    monkeypatch.setenv(f"CVMS_{name.upper()}", value)

    with pytest.raises(errors.CvmsError) as raised:
        loading.load(home=place)

    assert f"CVMS_{name.upper()}" in str(raised.value)
    assert "canary" not in str(raised.value)


DATABASES = ("database_url", "migration_database_url", "broker_url")


def test_no_secret_is_shown_with_the_settings(place):
    secrets = dict.fromkeys(DATABASES, f"postgresql://u:{CANARY}@db/x")
    loaded = loading.load(
        home=place, smtp_url=f"smtp://u:{CANARY}@mail", secret_key=CANARY, **secrets
    )

    assert CANARY not in repr(loaded)
    assert CANARY not in str(loaded)


# Commands that fail at a server which does not answer, or answers no.
FAILING = [("uploads",), ("db", "upgrade"), ("audit",), ("providers", "list")]


@pytest.mark.parametrize("words", FAILING, ids=" ".join)
def test_a_command_that_fails_prints_no_password(place, words):
    environment = {
        **os.environ,
        "CVMS_HOME": str(place),
        "CVMS_DATABASE_URL": f"postgresql://u:{CANARY}@127.0.0.1:9/cvms",
        "CVMS_SECRET_KEY": CANARY,
    }
    ended = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, "-m", "cvms_pipeline.cli", *words],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 1, ended.stderr
    assert "database cannot be reached" in ended.stderr
    assert CANARY not in ended.stdout + ended.stderr


def test_no_help_shows_a_value_that_is_set(monkeypatch):
    monkeypatch.setenv("CVMS_SECRET_KEY", CANARY)
    monkeypatch.setenv("CVMS_SMTP_URL", f"smtp://u:{CANARY}@mail")

    def helps(command, name):
        context = command.make_context(name, [], resilient_parsing=True)
        yield command.get_help(context)
        for word, inner in getattr(command, "commands", {}).items():
            yield from helps(inner, word)

    texts = list(helps(typer.main.get_command(app), "cvms"))

    assert len(texts) > 15
    assert not any(CANARY in text for text in [*texts, generate.render_env_example()])


def test_the_services_do_not_get_the_owner_s_url(place):
    chosen = loading.load(
        home=place,
        database_url="postgresql://services:a@db/cvms",
        migration_database_url=f"postgresql://owner:{CANARY}@db/cvms",
    )

    assert CANARY not in repr(processes.build_environment(chosen))
    assert CANARY in repr(processes.build_environment(chosen, is_owner=True))


def test_all_ports_are_on_this_machine_only(place):
    programs = processes.prepare_services(loading.load(home=place))

    listening = {one.name: one.address.host for one in programs if one.address}

    assert listening
    assert set(listening.values()) == {"127.0.0.1"}
    for one in programs:
        hosts = [
            w
            for w, n in zip(one.command[1:], one.command, strict=False)
            if n == "--host"
        ]
        assert set(hosts) <= {"127.0.0.1"}
