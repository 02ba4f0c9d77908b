"""The service as an ordinary user, and providers as other users; for root only.

The process changes its effective user, which takes its capabilities away; in this way
one process can be the service, a provider and root, one after another.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator

import installations
import pytest
import users


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests in plain words where the tests do not run as root."""
    if os.getuid() != 0:
        here = pathlib.Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                reason = "the tests do not run as root, who alone can be other users"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def as_provider() -> Callable[[], contextlib.AbstractContextManager[None]]:
    return lambda: users.working_as(users.PROVIDER)


@pytest.fixture
def as_root() -> Callable[[], contextlib.AbstractContextManager[None]]:
    return lambda: users.working_as(0)


@pytest.fixture
def open_postgres(postgres) -> None:
    """Let other users reach the socket of the test's server."""
    postgres.folder.chmod(0o711)
    for path in postgres.folder.glob(".s.PGSQL.*"):
        path.chmod(0o777)


@pytest.fixture
def site(
    open_postgres, database_url, monkeypatch
) -> Iterator[installations.Installation]:
    """An installation of the service's user, as whom the test goes on."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="cvms-user-"))
    place.chmod(0o711)
    os.chown(place, users.SERVICE, users.SERVICE)
    try:
        with users.working_as(users.SERVICE):
            home = place / "home"
            opened = installations.opened(home, database_url, monkeypatch)
            for folder in (home, home / "data", opened.pipeline.folders.root):
                folder.chmod(0o711)
            for folder in (opened.lane(), opened.lane().parent):
                folder.chmod(0o777)
            yield opened
            opened.pipeline.close()
    finally:
        shutil.rmtree(place)
