"""A terminal for tests: runs commands and returns their output."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

import pytest

from cvms_pipeline.cli.__main__ import app

SAMPLES = pathlib.Path(__file__).parents[3] / "data" / "samples"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Terminal:
    """Runs `cvms` in this process, with its home in a folder of the test's own."""

    home: pathlib.Path
    capsys: pytest.CaptureFixture[str]

    def cvms(self, *words: object) -> Ended:
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            app([str(word) for word in words], prog_name="cvms")
        printed = self.capsys.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Ended(code=code, out=printed.out, err=printed.err)

    def file(self, name: str, *lines: str) -> pathlib.Path:
        path = self.home / name
        path.write_text("\r\n".join(lines), encoding="utf-8")
        return path

    def lane(self, slug: str, lane: str = "low_volume") -> pathlib.Path:
        return self.home / "data" / "incoming" / slug / lane


def process(*words: str, **options: Any) -> subprocess.Popen[str]:
    """Start `cvms` as a process of its own, which Ctrl-C reaches.

    The children of tests that were started with `&` would ignore it otherwise.
    """
    command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
    environment = {**os.environ, **options.pop("env", {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(  # noqa: S603 # ours
        command,
        **{**pipes, **options},
        env=environment,
        preexec_fn=_accept_ctrl_c,
    )


def _accept_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
