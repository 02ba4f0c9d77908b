import pathlib
import sys

import pytest

from cvms_pipeline import settings
from cvms_pipeline.local import processes

SECRET = "a-secret-of-at-least-thirty-two-characters"


@pytest.fixture
def chosen(place: pathlib.Path) -> settings.Settings:
    return settings.load(
        home=place,
        database_url=f"postgresql://cvms:{SECRET}@localhost/cvms",
        secret_key=SECRET,
        workers=3,
        port=3456,
    )


def test_every_process_gets_the_settings_as_they_were_chosen(
    chosen: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = processes.environment(chosen)

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert settings.load() == chosen


def test_dagster_keeps_quiet_about_errors_and_about_us(
    chosen: settings.Settings,
) -> None:
    variables = processes.environment(chosen)

    assert variables["DAGSTER_HOME"] == str(chosen.home)
    assert variables["DAGSTER_REDACT_USER_CODE_ERRORS"] == "1"
    assert variables["DAGSTER_DISABLE_TELEMETRY"] == "yes"


def test_no_secret_is_on_a_command_line(chosen: settings.Settings) -> None:
    words = [word for one in processes.services(chosen) for word in one.command]

    assert SECRET not in " ".join(words)


def test_everything_runs_in_this_very_python(chosen: settings.Settings) -> None:
    services = {one.name: one for one in processes.services(chosen)}

    assert set(services) == {"code", "daemon", "webserver", "worker", "metrics"}
    assert {one.command[0] for one in services.values()} == {sys.executable}
    assert "--concurrency=3" in services["worker"].command


def test_daemon_and_web_server_share_the_code_server(
    chosen: settings.Settings,
) -> None:
    services = {one.name: one for one in processes.services(chosen)}

    workspace = chosen.data / "run" / "workspace.yaml"
    assert str(services["code"].socket) in workspace.read_text()
    assert str(workspace) in services["daemon"].command
    assert str(workspace) in services["webserver"].command


HOSTS = [
    ("127.0.0.1", "http://127.0.0.1:3000"),
    ("0.0.0.0", "http://127.0.0.1:3000"),  # noqa: S104  # every address
    ("::", "http://[::1]:3000"),  # the same in IPv6
    ("cvms.example.org", "http://cvms.example.org:3000"),
]


@pytest.mark.parametrize(("host", "url"), HOSTS)
def test_an_address_is_one_that_can_be_opened(host: str, url: str) -> None:
    address = processes.Address(title="UI", host=host, port=3000, setting="CVMS_PORT")

    assert address.url == url


def test_what_is_watched_is_what_is_run(chosen: settings.Settings) -> None:
    run = [program.name for program in processes.services(chosen)]

    assert processes.names(chosen) == run


def test_the_embedded_database_is_watched_too(place: pathlib.Path) -> None:
    assert "postgres" in processes.names(settings.load(home=place))
