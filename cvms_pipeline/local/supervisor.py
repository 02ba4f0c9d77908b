"""One supervisord of ours: its configuration, its start and end, its states.

supervisord starts again what ends and keeps the logs.  What it runs is said in
`processes`, and in which order in `supervise`.
"""

import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client  # nosec B411  # what answers is our own, on a private socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from supervisor import xmlrpc as transport  # type: ignore[import-untyped]

from cvms_pipeline import errors
from cvms_pipeline.local import private, processes

SERVICES = "services"
_SOCKET = "supervisor.sock"
_LONGEST_SOCKET_NAME = f"{_SOCKET}.{2**22}"  # it is made under its maker's number
_START_SECONDS = 20
_STOP_SECONDS = 120
_SWEEP_SECONDS = 5
_POLL_SECONDS = 0.05

_HEAD = """\
[supervisord]
nodaemon=true
silent=true
strip_ansi=true
logfile={logs}/supervisor.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisord.pid
{user}
[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# `startretries`: for ever, with a pause that grows a little (`restarts`).
_PROGRAM = """
[program:{name}]
command={command}
autostart={autostart}
autorestart=true
startsecs={start_seconds}
startretries=1000000
stopsignal=INT
stopasgroup=true
stopwaitsecs={stop_seconds}
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
redirect_stderr=true
"""

# Stopped at once and together, before what has a lower priority.
_GROUP = """
[group:{name}]
programs={programs}
priority=999
"""
_FIRST = "priority=1\n"


class SupervisorFailed(errors.PermanentError):
    """The supervisor of the processes could not be started."""


class Supervisor:
    """Keeps a database (at once) and services (when told) running."""

    def __init__(
        self,
        data: Path,
        *,
        database: processes.Program | None,
        services: Sequence[processes.Program],
        environment: Mapping[str, str],
        home: Path,
        lock: int,
    ) -> None:
        """Say what is to run; nothing is started yet.

        Args:
            data: The data folder; `run` and `logs` in it are made.
            database: What runs from the start and is stopped last, or None.
            services: What `start_services` starts.
            environment: The environment of all.
            home: The working folder of all.
            lock: A locked file that stays open, and so locked, in supervisord.
        """
        self._run = private.folder(data / "run")
        self._logs = private.folder(data / "logs")
        self._configuration = configuration(
            _socket(data),
            database,
            services,
            run=_relative(self._run, home),
            logs=_relative(self._logs, home),
        )
        self._environment = environment
        self._home = home
        self._lock = lock
        self._child: subprocess.Popen[bytes] | None = None
        self._leash: int | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id of supervisord, if it runs."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start supervisord, and with it the database; wait until it can be asked.

        Raises:
            SupervisorFailed: If it ends or does not answer.
        """
        private.folder(_socket(self._run.parent).parent)
        path = self._run / "supervisord.conf"
        private.write(path, self._configuration)
        pipe, self._leash = os.pipe()
        command = [sys.executable, "-m", "cvms_pipeline.local.leash"]
        with private.log(self._logs / "supervisor.log") as log:
            self._child = subprocess.Popen(  # noqa: S603  # our own words
                [*command, str(pipe), str(path)],
                pass_fds=[pipe, self._lock],
                start_new_session=True,
                umask=0o077,
                cwd=self._home,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        os.close(pipe)
        self._wait_until_it_answers(self._child)

    def start_services(self) -> None:
        """Start the services; returns before they work."""
        with _asking(self._run.parent) as ask:
            ask.startProcessGroup(SERVICES, False)

    def wait(self) -> None:
        """Wait until supervisord ends by itself, and end what it left behind."""
        if self._child:
            self._child.wait()
            self.stop()

    def stop(self) -> None:
        """Stop everything in order and wait; nothing of it is left afterwards."""
        if self._leash is not None:
            leash, self._leash = self._leash, None
            os.close(leash)
        if self._child is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        self._child.kill()
        self._child.wait()
        end_session(self._child.pid)
        self._child = None

    def _wait_until_it_answers(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not process_states(self._run.parent):
            if child.poll() is not None or time.monotonic() > deadline:
                log = self._logs / "supervisor.log"
                raise SupervisorFailed(f"The supervisor did not start; see {log}")
            time.sleep(_POLL_SECONDS)


def configuration(
    socket: Path,
    database: processes.Program | None,
    services: Sequence[processes.Program],
    *,
    run: str,
    logs: str,
) -> str:
    """Return supervisord's configuration; no secret is in it.

    The folders are relative to the working folder, so that whatever signs that
    one's path has, supervisord does not read them.
    """
    user = "user=root\n" if os.geteuid() == 0 else ""
    parts = [_HEAD.format(socket=socket, user=user, run=run, logs=logs)]
    if database:
        parts += [_section(database, logs, autostart=True), _FIRST]
    parts += [_section(service, logs, autostart=False) for service in services]
    names = ",".join(service.name for service in services)
    return "".join([*parts, _GROUP.format(name=SERVICES, programs=names)])


def _section(program: processes.Program, logs: str, *, autostart: bool) -> str:
    return _PROGRAM.format(
        name=program.name,
        command=_escape(shlex.join(program.command)),
        autostart=str(autostart).lower(),
        start_seconds=program.start_seconds,
        stop_seconds=program.stop_seconds,
        logs=logs,
    )


def _relative(path: Path, start: Path) -> str:
    return os.path.relpath(path.resolve(), start.resolve())


def _escape(text: str) -> str:
    """Keep `%` from being expanded, and ` #` and ` ;` from starting a comment.

    A space is only found between quotation marks, where `''` adds nothing.
    """
    return text.replace("%", "%%").replace(" #", " ''#").replace(" ;", " '';")


def process_states(data: Path) -> dict[str, str]:
    """Return the state of each process of the `cvms up` on `data`; {} without one.

    States are supervisord's: RUNNING, STARTING, BACKOFF, STOPPED and so on.
    """
    return {one["name"]: one["statename"] for one in process_facts(data)}


def process_facts(data: Path) -> list[dict[str, Any]]:
    """Return what supervisord knows of each process; [] without one.

    Among it `name`, `statename`, `pid` (0: none), and in Unix seconds `start` and
    `now`.
    """
    try:
        with _asking(data) as ask:
            return list(ask.getAllProcessInfo())
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return []


@contextlib.contextmanager
def _asking(data: Path) -> Any:
    """Reach supervisord's own methods over its socket."""
    way = transport.SupervisorTransport(serverurl=f"unix://{_socket(data)}")
    with xmlrpc.client.ServerProxy("http://localhost", transport=way) as proxy:
        yield proxy.supervisor


def _socket(data: Path) -> Path:
    folder = private.socket_folder(data.absolute() / "run", _LONGEST_SOCKET_NAME)
    return folder / _SOCKET


def end_session(session: int) -> None:
    """End every process of the session: first by SIGINT, after a while by SIGKILL.

    supervisord is the first of its session, and what it starts stays in it (but
    for Postgres' own children, which end with Postgres).
    """
    left = _members(session)
    for last, seconds in ((signal.SIGINT, _SWEEP_SECONDS), (signal.SIGKILL, 5)):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(last)
        _, left = psutil.wait_procs(left, timeout=seconds)


def _members(session: int) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(pid) == session:
                found.append(psutil.Process(pid))
    return found
