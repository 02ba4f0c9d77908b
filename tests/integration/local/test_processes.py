import importlib.util
import pathlib
import sys

import pytest

from cvms_pipeline.local import processes
from cvms_pipeline.settings import loading

SECRET = "a-secret-of-at-least-thirty-two-characters"


@pytest.fixture
def chosen(place: pathlib.Path) -> loading.Settings:
    return loading.load(
        home=place,
        database_url=f"postgresql://cvms:{SECRET}@localhost/cvms",
        secret_key=SECRET,
        workers=3,
        port=3456,
    )


def test_every_process_gets_the_settings_as_they_were_chosen(
    chosen: loading.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = processes.build_environment(chosen)

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert loading.load() == chosen


def test_dagster_keeps_quiet_about_errors_and_about_us(
    chosen: loading.Settings,
) -> None:
    variables = processes.build_environment(chosen)

    assert variables["DAGSTER_HOME"] == str(chosen.folders.home)
    assert variables["DAGSTER_REDACT_USER_CODE_ERRORS"] == "1"
    assert variables["DAGSTER_DISABLE_TELEMETRY"] == "yes"


def test_no_secret_is_on_a_command_line(chosen: loading.Settings) -> None:
    words = [word for one in processes.prepare_services(chosen) for word in one.command]

    assert SECRET not in " ".join(words)


def test_everything_runs_in_this_very_python(chosen: loading.Settings) -> None:
    services = {one.name: one for one in processes.prepare_services(chosen)}

    assert set(services) == {
        "code",
        "daemon",
        "webserver",
        "worker",
        "portal",
        "metrics",
    }
    assert {one.command[0] for one in services.values()} == {sys.executable}
    assert "--concurrency=3" in services["worker"].command


def test_daemon_and_web_server_share_the_code_server(
    chosen: loading.Settings,
) -> None:
    services = {one.name: one for one in processes.prepare_services(chosen)}

    workspace = chosen.folders.data / "run" / "workspace.yaml"
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


def test_every_module_that_is_started_by_name_exists(
    chosen: loading.Settings,
) -> None:
    commands = [one.command for one in processes.prepare_services(chosen)]
    modules = {command[2] for command in commands if command[1] == "-m"}

    found = [name for name in modules if importlib.util.find_spec(name)]

    assert len(found) == len(modules) == len(commands)
    assert importlib.util.find_spec(processes.PREPARE)


def test_listing_the_processes_creates_nothing(place: pathlib.Path) -> None:
    chosen = loading.load(home=place, database_url="postgresql://u@db/cvms")

    names = processes.list_names(chosen)

    assert names == ["code", "daemon", "webserver", "worker", "portal", "metrics"]
    assert list(place.iterdir()) == []


def test_the_embedded_database_is_watched_too(place: pathlib.Path) -> None:
    assert "postgres" in processes.list_names(loading.load(home=place))
