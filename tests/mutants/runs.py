"""Copies of the project in which patches are applied, and the tests that are run there.

The copies are hard links: only a file that is patched is written, as another file.
"""

import contextlib
import enum
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutants import patches

ROOT = Path(__file__).parents[2]

_SECONDS = 600
_TEST_FAILED = 1
_OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider")


class Verdict(enum.Enum):
    """What the tests have made of a patch."""

    NOTICED = "noticed"
    UNNOTICED = "UNNOTICED"
    ENDLESS = "ENDLESS"
    """They had not ended: that may be because of the patch or of a slow machine."""
    BROKEN = "BROKEN"
    """The tests could not be run at all."""


@contextlib.contextmanager
def make_copy() -> Iterator[Path]:
    """Yield a copy of every file of the project that git knows, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    with tempfile.TemporaryDirectory(prefix="cvms-mutants-") as place:
        for name in filter(None, listed.stdout.split("\0")):
            source, target = ROOT / name, Path(place) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.exists():
                _link(source, target)
        yield Path(place)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


@contextlib.contextmanager
def patched(copy: Path, patch: patches.Patch) -> Iterator[None]:
    """Apply a patch in a copy while the block runs."""
    path = copy / patch.file
    text = path.read_text("utf-8")
    changed = patches.apply(patch, text)
    aside = path.with_name(f"{path.name}.whole")
    path.rename(aside)
    try:
        path.write_text(changed, "utf-8")
        # Python compiles a file again only if it has another size or time.
        moment = time.time() + 86_400 + hash(patch.name) % 86_400
        os.utime(path, (moment, moment))
        yield
    finally:
        aside.replace(path)


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[Verdict, str]:
    """Run tests in a copy; return the verdict, and what pytest has printed."""
    command = [sys.executable, "-m", "pytest", *_OPTIONS, *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    process = subprocess.Popen(
        command,
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        _end(process)
        return Verdict.ENDLESS, f"The tests have not ended within {_SECONDS} s."
    except BaseException:
        _end(process)
        raise
    if process.returncode == _TEST_FAILED:
        return Verdict.NOTICED, output
    is_passed = process.returncode == 0 and " passed" in output
    return Verdict.UNNOTICED if is_passed else Verdict.BROKEN, output


def _end(process: subprocess.Popen[str]) -> None:
    """End pytest, which then ends what it has started, or kill it."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
