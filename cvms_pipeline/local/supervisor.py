"""One supervisord: its configuration, its start and end, the states of its processes.

supervisord restarts what ends, and writes the logs.  `processes` describes what it
runs, and `supervise` starts it in the right order.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import client
from pathlib import Path
from typing import Any
from xmlrpc.client import Error  # nosec B411  # our own process answers

import psutil
from supervisor import childutils  # type: ignore[import-untyped]

from cvms_pipeline import disk, errors
from cvms_pipeline.local import private, processes

RETRY_SECONDS = 4

_SERVICES = "services"
_SOCKET = "supervisor.sock"
_MAX_SOCKET_NAME = f"{_SOCKET}.{2**22}"  # first it is made with a process id
_START_SECONDS = 20
_STOP_SECONDS = 120
_SWEEP_SECONDS = 5
_POLL_SECONDS = 0.05
_NO_ANSWER = (OSError, client.HTTPException, Error)

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

# A process that ends right after its start is restarted by supervisord three times,
# after 1, 2 and 3 seconds; then `Supervisor.wait` restarts it.
_PROGRAM = """
[program:{name}]
command={command}
autostart={autostart}
autorestart=true
startsecs={start_seconds}
stopsignal=INT
stopasgroup=true
stopwaitsecs={stop_seconds}
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
redirect_stderr=true
"""

# Stopped together, and before what has a lower priority.
_GROUP = """
[group:{name}]
programs={programs}
priority=999
"""
_FIRST = "priority=1\n"


class SupervisorFailed(errors.PermanentError):
    """The supervisor of the processes could not be started."""


@dataclass(kw_only=True, repr=False)  # the environment holds secrets
class Supervisor:
    """Keeps a database running from its start on, and services once they are started.

    Attributes:
        data: The data folder; `run` and `logs` in it are made.
        database: What runs from the start and is stopped last, or None.
        services: What `start_services` starts.
        environment: The environment of all.
        home: The working folder of all.
        lock: A locked file that stays open, and so locked, in supervisord.
        look: Called every `RETRY_SECONDS`.
    """

    data: Path
    database: processes.Program | None
    services: Sequence[processes.Program]
    environment: Mapping[str, str]
    home: Path
    lock: int
    look: Callable[[], None]
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _pipe: int | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """Return the process id of supervisord, if it runs."""
        return self._child.pid if self._child else None

    def start(self) -> None:
        """Start supervisord, and with it the database; wait until it answers.

        Raises:
            SupervisorFailed: If it ends or does not answer.
        """
        private.ensure_folder(_get_socket(self.data).parent)
        run, logs = (private.ensure_folder(self.data / n) for n in ("run", "logs"))
        path = run / "supervisord.conf"
        disk.write(path, self._write_configuration(run, logs).encode())
        pipe, self._pipe = os.pipe()
        command = [sys.executable, "-m", "cvms_pipeline.local.parent_watch"]
        log_path = logs / "supervisor.log"
        with disk.open_private(log_path, "ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  # no shell
                [*command, str(pipe), str(path)],
                pass_fds=[pipe, self.lock],
                start_new_session=True,
                umask=0o077,
                cwd=self.home,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        os.close(pipe)
        deadline = time.monotonic() + _START_SECONDS
        while not get_process_states(self.data):
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise SupervisorFailed(f"The supervisor did not start; see {log_path}")
            time.sleep(_POLL_SECONDS)

    def start_services(self) -> None:
        """Start the services; returns before they work."""
        with _connect(self.data) as remote:
            remote.startProcessGroup(_SERVICES, False)

    def wait(self) -> None:
        """Wait until supervisord ends by itself, and end what it has left running.

        Meanwhile, every `RETRY_SECONDS`, restart what it no longer restarts itself, and
        call `look`.
        """
        while self._child:
            try:
                self._child.wait(RETRY_SECONDS)
            except subprocess.TimeoutExpired:
                _restart_failed(self.data)
                self.look()
            else:
                self.stop()

    def stop(self) -> None:
        """Stop everything in order and wait; no process of it is left afterwards."""
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            os.close(pipe)
        if self._child is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_STOP_SECONDS)
        self._child.kill()
        self._child.wait()
        _end_session(self._child.pid)
        self._child = None

    def _write_configuration(self, run: Path, logs: Path) -> str:
        """Return the configuration of supervisord; no secret is in it.

        The folders are relative to the working folder, so that supervisord does not
        read special characters in the path of that one.
        """
        home = self.home.resolve()
        places = {
            "run": os.path.relpath(run.resolve(), home),
            "logs": os.path.relpath(logs.resolve(), home),
        }
        user = "user=root\n" if os.geteuid() == 0 else ""
        parts = [_HEAD.format(socket=_get_socket(self.data), user=user, **places)]
        if self.database:
            parts += [_write_section(self.database, "true", places["logs"]), _FIRST]
        parts += [_write_section(e, "false", places["logs"]) for e in self.services]
        names = ",".join(service.name for service in self.services)
        return "".join([*parts, _GROUP.format(name=_SERVICES, programs=names)])


def _write_section(program: processes.Program, autostart: str, logs: str) -> str:
    return _PROGRAM.format(
        name=program.name,
        command=_escape(shlex.join(program.command)),
        autostart=autostart,
        start_seconds=program.start_seconds,
        stop_seconds=program.stop_seconds,
        logs=logs,
    )


def _escape(text: str) -> str:
    """Escape `%`, which would be expanded, and ` #` and ` ;`, which begin a comment.

    A space is only found between quotation marks, where `''` adds nothing.
    """
    return text.replace("%", "%%").replace(" #", " ''#").replace(" ;", " '';")


def get_process_states(data: Path) -> dict[str, str]:
    """Return the state of each process by its name; {} where `cvms up` does not run.

    The states are those of supervisord, in upper case.
    """
    return {each["name"]: each["statename"] for each in list_process_facts(data)}


def list_process_facts(data: Path) -> list[dict[str, Any]]:
    """Return what supervisord knows of each process; [] where it does not run.

    Among it are `name`, `group`, `statename`, `pid` (0: none), and in Unix seconds
    `start` and `now`.
    """
    try:
        with _connect(data) as remote:
            return list(remote.getAllProcessInfo())
    except _NO_ANSWER:
        return []


def _restart_failed(data: Path) -> None:
    """Start the processes that supervisord no longer restarts."""
    for each in list_process_facts(data):
        if each["statename"] == "FATAL":
            # If it cannot be started now, the next call tries again.
            with contextlib.suppress(*_NO_ANSWER), _connect(data) as remote:
                remote.startProcess(f"{each['group']}:{each['name']}", False)


@contextlib.contextmanager
def _connect(data: Path) -> Iterator[Any]:
    """Connect to supervisord; yield its remote functions."""
    place = {"SUPERVISOR_SERVER_URL": f"unix://{_get_socket(data)}"}
    with childutils.getRPCInterface(place) as proxy:
        yield proxy.supervisor


def _get_socket(data: Path) -> Path:
    run = data.absolute() / "run"
    return private.choose_socket_folder(run, _MAX_SOCKET_NAME) / _SOCKET


def _end_session(session: int) -> None:
    """End every process of the session: first by SIGINT, after a while by SIGKILL.

    supervisord is the first of its session, and what it starts stays in it, except for
    the children of Postgres, which end with Postgres.
    """
    left = _list_members(session)
    for number, seconds in ((signal.SIGINT, _SWEEP_SECONDS), (signal.SIGKILL, 5)):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        _, left = psutil.wait_procs(left, timeout=seconds)


def _list_members(session: int) -> list[psutil.Process]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(pid) == session:
                found.append(psutil.Process(pid))
    return found
