"""The restore drill of docs/backup.md, beside an installation that works."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import ports
from cvms_pipeline.database import engine
from cvms_pipeline.settings import loading

DOCUMENT = Path(__file__).parents[2] / "docs" / "backup.md"
SECONDS = 240
FINISHED = ("completed", "completed_with_errors", "refused")
PEOPLE = (
    "SELECT first_name, last_name, birth_date, email, username, upload_id, source_line"
    " FROM cvms.recipients ORDER BY upload_id, source_line"
)
MESSAGES = (  # an invitation's purpose names the recipient's id, which is new
    "SELECT upload_id, kind, status, count(*), min(attempts) FROM cvms.messages"
    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)


def drill() -> tuple[str, str]:
    """Return what the document says: to restore, and to start what was restored."""
    section = DOCUMENT.read_text("utf-8").partition("### Restore drill\n")[2]
    first, second = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[
        :2
    ]
    return first.replace("3900", str(ports.find_free())), second


def environment(up) -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**up.environment, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}


@contextlib.contextmanager
def started(script: str, up, folder: Path) -> Iterator[engine.Store]:
    """Start what was restored, as the document says; yield its tables."""
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 # the document's words
            ["/bin/bash", "-euc", script],
            env=environment(up),
            cwd=up.home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        eventually(lambda: "is running" in (folder / "up.log").read_text("utf-8"))
        chosen = loading.load(home=folder, data_dir=folder / "data", database_url=None)
        with contextlib.closing(engine.Store(chosen.urls.store)) as store:
            yield store
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(SECONDS)


def eventually(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


def rows(store, query):
    with store.begin() as conn:
        return [tuple(row) for row in conn.exec_driver_sql(query)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the drill makes its folder: short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cvms-drill-") as name:
        yield Path(name)


def test_the_restore_drill_finishes_unfinished_uploads(up, people, folder):
    restore, start = drill()
    restore = f'mktemp() {{ echo "{folder}"; }}\n{restore}'
    done = up.bring(people(3))
    with up.locked("cvms.recipients"):
        stuck = up.upload_of(up.drop(people(2)))
        up.eventually(up.someone_waits)

        ended = subprocess.run(  # noqa: S603 # the document's words
            ["/bin/bash", "-euc", restore],
            env=environment(up),
            cwd=up.home,
            capture_output=True,
            text=True,
        )

    assert ended.returncode == 0, ended.stderr
    assert done in ended.stdout
    assert stuck in ended.stdout
    up.finished(stuck)
    (function,) = re.findall(r"^drill\(\) .*$", restore, re.MULTILINE)
    with started(f'DRILL="{folder}"\n{function}\n{start}', up, folder) as store:
        undecided = f"SELECT 1 FROM cvms.uploads WHERE status NOT IN {FINISHED}"  # noqa: S608 # words above
        eventually(lambda: not rows(store, undecided))
        unsent = "SELECT 1 FROM cvms.messages WHERE status = 'waiting'"
        eventually(lambda: not rows(store, unsent))

        assert rows(store, PEOPLE) == rows(up.store, PEOPLE)
        assert rows(store, MESSAGES) == rows(up.store, MESSAGES)
