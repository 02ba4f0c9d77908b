"""`cvms up` as a real process, with stand-ins for the programs it keeps."""

import itertools
import os
import pathlib
import signal
import socket
import stat
import urllib.request
from collections.abc import Callable

import psutil
import pytest
from kept_machines import Machine, next_line, said

from cvms_pipeline.local import supervisor

Eventually = Callable[[Callable[[], object]], None]

# It starts what has failed once more, and three times again.
STARTS_BY_SUPERVISORD = 4


def test_cvms_up_migrates_first_and_then_prints_the_addresses(machine: Machine) -> None:
    process = machine.up("embedded")

    assert next_line(process) == "migrate"
    assert next_line(process) == (
        f"ready ('Dagster UI', 'http://127.0.0.1:{machine.port}')"
    )
    assert {"postgres", "supervisor", "web", "sleeper"} <= set(machine.left())


def test_cvms_up_is_ready_when_its_processes_answer(machine: Machine) -> None:
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
    assert supervisor.get_process_states(machine.data) == {}


def test_cvms_up_stops_when_its_callback_asks_for_it(machine: Machine) -> None:
    process = machine.ready("brief")

    assert process.wait() == 0
    assert machine.left() == {}


def test_a_process_that_does_not_stop_is_killed(
    machine: Machine, eventually: Eventually
) -> None:
    process = machine.ready("stubborn")
    log = machine.data / "logs" / "stubborn.log"
    eventually(lambda: "started" in log.read_text())

    process.terminate()

    assert process.wait() == 0
    assert machine.left() == {}


def test_a_process_that_dies_is_restarted(
    machine: Machine, eventually: Eventually
) -> None:
    machine.ready()
    first = machine.left()["sleeper"]

    first.kill()

    eventually(lambda: machine.left().get("sleeper") not in (None, first))
    states = supervisor.get_process_states(machine.data)
    assert set(states) == {"web", "sleeper"}


def test_a_process_that_ends_at_each_start_is_restarted_after_at_most_five_seconds(
    machine: Machine, eventually: Eventually
) -> None:
    def failures() -> list[float]:
        return [float(line) for line in file.read_text().splitlines()]

    machine.ready()
    file = machine.home / "failures"  # as long as it is there, each start fails
    file.touch()

    machine.left()["sleeper"].kill()

    eventually(lambda: len(failures()) > STARTS_BY_SUPERVISORD)
    waits = [later - earlier for earlier, later in itertools.pairwise(failures())]
    assert max(waits) < 5 + 3  # a process takes a while to start on a busy machine
    file.unlink()
    eventually(lambda: "sleeper" in machine.left())


def test_a_second_cvms_up_reports_that_one_is_running(machine: Machine) -> None:
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


def test_every_process_ends_when_it_is_killed(
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


def test_written_files_are_private(machine: Machine) -> None:
    machine.ready("embedded")

    modes = {
        path: stat.S_IMODE(path.stat().st_mode)
        for folder in ("run", "logs")
        for path in (machine.data / folder).iterdir()
    }

    assert all(mode in (0o600, 0o700) for mode in modes.values()), modes


def test_no_process_may_write_a_core(machine: Machine) -> None:
    machine.ready()

    limits = {process.rlimit(psutil.RLIMIT_CORE) for process in machine.left().values()}
    assert limits == {(0, 0)}


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
