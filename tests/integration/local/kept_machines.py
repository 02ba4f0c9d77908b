"""A machine on which tests run `cvms up`, with stand-ins for the programs it keeps."""

import pathlib
import subprocess
import sys
from dataclasses import dataclass, field

import psutil

_SCRIPT = pathlib.Path(__file__).with_name("stand_in_up.py")


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
            [sys.executable, str(_SCRIPT), str(self.home), str(self.port), case],
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
                    found[_name_of(process)] = process
            except (psutil.Error, OSError):
                continue
        return found


def _name_of(process: psutil.Process) -> str:
    command = process.cmdline()
    if str(_SCRIPT) in command:
        return command[command.index(str(_SCRIPT)) + 1]
    return (
        "supervisor"
        if "cvms_pipeline.local.parent_watch" in command
        else process.name()
    )


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def said(process: subprocess.Popen[str]) -> str:
    """Wait for its end and return all it still said."""
    return process.communicate()[0]
