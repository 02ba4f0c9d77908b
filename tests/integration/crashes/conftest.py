"""An installation that can be reset to an earlier state, once for each crash."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import crash_sites
import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 # a folder of our own is made in it


@pytest.fixture
def place() -> Iterator[Path]:
    """Memory, if it may be had: there are a hundred deaths, and many files each."""
    is_there = os.access(_MEMORY, os.W_OK)
    with tempfile.TemporaryDirectory(dir=_MEMORY if is_there else None) as folder:
        yield Path(folder)


@pytest.fixture
def again(
    place: Path, postgres, template, server, mailbox, monkeypatch
) -> Iterator[Callable[[], AbstractContextManager[crash_sites.Prepared]]]:
    """Return how to begin anew, each time in the same state."""
    prepared = place / "prepared"
    with postgres.database(template) as url:
        with crash_sites.opened(prepared, url, server.port, monkeypatch) as site:
            crash_sites.prepare(site)
        name = url.partition("@/")[2].partition("?")[0]

        @contextmanager
        def begun() -> Iterator[crash_sites.Prepared]:
            mailbox.received.clear()
            home = place / "home"
            shutil.copytree(prepared, home, symlinks=True)
            with postgres.database(name) as own:
                yield crash_sites.Prepared(
                    home=home, url=own, port=server.port, patch=monkeypatch
                )
            shutil.rmtree(home)

        yield begun
