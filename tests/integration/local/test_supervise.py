"""`cvms up` as a real process, with stand-ins for the programs it keeps."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from cvms_pipeline.local import supervisor

Eventually = Callable[[Callable[[], object]], None]

SCRIPT = pathlib.Path(__file__).with_name("stand_in_up.py")


@dataclass(kw_only=True)
class Machine:
    """A home folder and a free port, and every `cvms up` started on them."""

    home: pathlib.Path
    port: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def data(self) -> pathlib.Path:
        return self.home / "data"

    def up(self, case: str = "plain") -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603  # our own words
            [sys.executable, str(SCRIPT), str(self.home), str(self.port), case],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def ready(self, case: str = "plain") -> subprocess.Popen[str]:
        """Start `cvms up` and wait until it is ready."""
        process = self.up(case)
        assert next_line(process) == "migrate"
        assert next_line(process).startswith("ready")
        return process

    def left(self) -> dict[str, psutil.Process]:
        """Return what runs with this home in its environment: the kept programs."""
        found = {}
        for process in psutil.process_iter():
            try:
                if process.environ().get("CVMS_HOME") == str(self.home):
                    found[name_of(process)] = process
            except (psutil.Error, OSError):
                continue
        return found


def name_of(process: psutil.Process) -> str:
    command = process.cmdline()
    if str(SCRIPT) in command:
        return command[command.index(str(SCRIPT)) + 1]
    return "supervisor" if "cvms_pipeline.local.leash" in command else process.name()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def said(process: subprocess.Popen[str]) -> str:
    """Wait for its end and return all it still said."""
    return process.communicate()[0]


@pytest.fixture
def machine(place: pathlib.Path, eventually: Eventually) -> Iterator[Machine]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    used = Machine(home=place, port=port)
    yield used
    for process in used.started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    eventually(lambda: not used.left())


def test_it_migrates_first_and_then_says_where_everything_is(machine: Machine) -> None:
    process = machine.up("embedded")

    assert next_line(process) == "migrate"
    assert next_line(process) == (
        f"ready ('Dagster UI', 'http://127.0.0.1:{machine.port}')"
    )
    assert {"postgres", "supervisor", "web", "sleeper"} <= set(machine.left())


def test_it_is_ready_when_what_it_runs_can_be_used(machine: Machine) -> None:
    machine.ready()

    address = f"http://127.0.0.1:{machine.port}"
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"loaded"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_leaves_nothing_running(
    machine: Machine, number: signal.Signals
) -> None:
    process = machine.ready("embedded" if number == signal.SIGINT else "plain")

    process.send_signal(number)

    assert process.wait() == 0
    assert machine.left() == {}
    assert supervisor.process_states(machine.data) == {}


def test_it_stops_when_ready_says_so(machine: Machine) -> None:
    process = machine.ready("brief")

    assert process.wait() == 0
    assert machine.left() == {}


def test_it_kills_what_does_not_stop(machine: Machine, eventually: Eventually) -> None:
    process = machine.ready("stubborn")
    log = machine.data / "logs" / "stubborn.log"
    eventually(lambda: "started" in log.read_text())

    process.terminate()

    assert process.wait() == 0
    assert machine.left() == {}


def test_what_dies_is_started_again(machine: Machine, eventually: Eventually) -> None:
    machine.ready()
    first = machine.left()["sleeper"]

    first.kill()

    eventually(lambda: machine.left().get("sleeper") not in (None, first))
    states = supervisor.process_states(machine.data)
    assert set(states) == {"web", "sleeper"}


def test_a_second_one_says_that_one_is_running(machine: Machine) -> None:
    first = machine.ready()

    second = machine.up()

    words = said(second)
    assert second.returncode == 1
    assert f"process {first.pid} (http://127.0.0.1:{machine.port})" in words


def test_a_port_in_use_is_named_before_anything_is_started(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", machine.port)):
        process = machine.up()

        words = said(process)

    assert process.returncode == 1
    assert f"CVMS_PORT={machine.port + 1}" in words
    assert "migrate" not in words
    assert not (machine.data / "logs" / "supervisor.log").exists()


def test_a_program_that_ends_at_once_is_named_with_its_log(machine: Machine) -> None:
    process = machine.up("broken")

    words = said(process)

    assert process.returncode == 1
    assert f"The broken ended right after its start; see {machine.data}" in words
    assert machine.left() == {}


def test_a_migration_that_fails_stops_everything(machine: Machine) -> None:
    process = machine.up("no-migration")

    words = said(process)

    assert "The migration went wrong." in words
    assert machine.left() == {}


def test_everything_goes_when_it_is_killed(
    machine: Machine, eventually: Eventually
) -> None:
    process = machine.ready("embedded")

    process.kill()

    eventually(lambda: not machine.left())


def test_a_killed_one_that_still_stops_counts_as_running(
    machine: Machine, eventually: Eventually
) -> None:
    first = machine.ready("stubborn")
    log = machine.data / "logs" / "stubborn.log"
    eventually(lambda: "started" in log.read_text())
    keeper = machine.left()["supervisor"]
    keeper.suspend()
    first.kill()
    first.wait()

    words = said(machine.up())

    keeper.resume()
    assert f"kill {keeper.pid}" in words


def test_a_killed_supervisor_is_replaced_and_its_programs_with_it(
    machine: Machine, eventually: Eventually
) -> None:
    process = machine.ready("embedded")
    before = machine.left()

    before["supervisor"].kill()

    eventually(
        lambda: {"postgres", "supervisor", "web", "sleeper"} <= {*machine.left()}
    )
    eventually(lambda: not any(old.is_running() for old in before.values()))
    process.terminate()
    assert process.wait() == 0
    assert machine.left() == {}


def test_what_it_writes_is_for_its_owner_alone(machine: Machine) -> None:
    machine.ready("embedded")

    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for folder in ("run", "logs")
        for path in (machine.data / folder).iterdir()
    }

    assert all(mode in (0o600, 0o700) for mode in modes.values()), modes


def test_no_secret_is_in_a_configuration_or_a_command_line(machine: Machine) -> None:
    machine.ready("embedded")
    password = (machine.data / "postgres" / "password").read_text().strip()
    written = (machine.data / "run" / "supervisord.conf").read_text()
    commands = [" ".join(process.cmdline()) for process in machine.left().values()]

    assert password not in written
    assert password not in "\n".join(commands)


def test_it_works_in_a_folder_with_an_awkward_name(machine: Machine) -> None:
    machine.home /= "it's 100% #1; é"
    machine.home.mkdir()
    before = set(pathlib.Path("/tmp").glob(f"cvms-{os.geteuid()}-*"))  # noqa: S108

    process = machine.ready("embedded")

    process.terminate()
    assert process.wait() == 0
    for folder in set(pathlib.Path("/tmp").glob(f"cvms-{os.geteuid()}-*")) - before:  # noqa: S108
        folder.rmdir()
