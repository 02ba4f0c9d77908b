"""One server for several commands: who starts it, and who stops it."""

import pathlib
import subprocess
import sys
from collections.abc import Callable

from cvms_pipeline.local.postgres import embedded, sharing

Eventually = Callable[[Callable[[], object]], None]

COMMAND = """
import pathlib, sys
from cvms_pipeline.local.postgres import embedded, sharing
with sharing.use_server(pathlib.Path(sys.argv[1])):
    print("using", flush=True)
    sys.stdin.read()
"""


def command(data: pathlib.Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-c", COMMAND, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def uses_it(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == "using\n"


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate("")
    assert process.returncode == 0


def test_a_command_starts_the_server_and_stops_it(place: pathlib.Path) -> None:
    with sharing.use_server(place / "data") as server:
        assert server.is_running()

    assert not server.is_running()


def test_the_last_of_several_commands_stops_the_server(place: pathlib.Path) -> None:
    server = embedded.EmbeddedPostgres(place / "data")
    commands = [command(place / "data") for _ in range(3)]
    assert all(map(uses_it, commands))

    for one in commands[:-1]:
        finish(one)
        assert server.is_running()
    finish(commands[-1])

    assert not server.is_running()


def test_a_server_left_by_a_killed_command_is_used_and_stopped(
    place: pathlib.Path,
) -> None:
    killed = command(place / "data")
    assert uses_it(killed)
    killed.kill()
    killed.communicate()
    server = embedded.EmbeddedPostgres(place / "data")
    assert server.is_running()

    with sharing.use_server(place / "data"):
        assert server.is_running()

    assert not server.is_running()


def test_a_command_leaves_the_server_of_cvms_up_running(place: pathlib.Path) -> None:
    with sharing.own_server(place / "data") as server:
        server.start()

        finish(command(place / "data"))

        assert server.is_running()
        server.stop()


def test_a_command_waits_for_the_server_of_cvms_up(place: pathlib.Path) -> None:
    with sharing.own_server(place / "data") as server:
        waiting = command(place / "data")
        server.start()

        assert uses_it(waiting)
        finish(waiting)
        server.stop()


def test_cvms_up_takes_over_the_server_of_a_command(
    place: pathlib.Path, eventually: Eventually
) -> None:
    waiting = command(place / "data")
    assert uses_it(waiting)

    with sharing.own_server(place / "data") as server:
        assert not server.is_running()
        server.start()
        finish(waiting)
        assert server.is_running()
        server.stop()
