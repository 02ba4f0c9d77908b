"""`cvms up`: starts everything in the right order, and stops it at Ctrl-C.

One supervisord keeps the processes running.  Here is what is around it: there is only
one `cvms up`, the ports are free, the database runs and is migrated before anything
uses it, and nothing is left running, whichever process dies.
"""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import psutil

from cvms_pipeline import disk, errors
from cvms_pipeline.local import logs, private, processes, supervisor
from cvms_pipeline.local.postgres import embedded, sharing, watchdog
from cvms_pipeline.settings import loading

_READY_SECONDS = 180
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 5
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FAILED_STATES = frozenset({"BACKOFF", "FATAL", "EXITED"})


class AlreadyRunning(errors.PermanentError):
    """`cvms up` is running already."""


class PortInUse(errors.PermanentError):
    """Another program listens on a port that is needed."""


class ServiceFailed(errors.PermanentError):
    """A process did not start."""


class RestoreUnfinished(errors.PermanentError):
    """A restore was interrupted. Run the same `cvms restore` once more."""


def up(
    settings: loading.Settings,
    *,
    migrate: Callable[[], None],
    ready: Callable[[Mapping[str, str]], bool | None],
    report: Callable[[str], None],
    services: Sequence[processes.Program] | None = None,
) -> int:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP; return the exit code 0.

    Args:
        settings: What the processes get through the environment.
        migrate: Called once, when the database runs and nothing uses it yet.
        ready: Called once, when all answer, with URLs by title; True stops everything.
        report: Called with a sentence when logs are lost, when they no longer are, and
            when everything is being stopped.
        services: What to run; by default all that the product needs.

    Raises:
        AlreadyRunning: If another one runs on the same data folder.
        RestoreUnfinished: If a restore was interrupted.
        PortInUse: Before anything is started.
        ServiceFailed: If a process ends while everything is being started.
    """
    data = settings.folders.data
    with prevent_start(data) as lock, _end_at_signal():
        _check_restored(data)
        programs = services or processes.prepare_services(settings)
        _check_ports(programs)
        with _supervise(settings, programs, lock, report) as (supervisord, server):
            supervisord.start()
            _write_holder(supervisord, programs)
            if server:
                server.wait_until_ready()
            migrate()
            supervisord.start_services()
            _wait_until_all_answer(data, programs)
            is_over = ready(_list_urls(programs))
            while not is_over:
                supervisord.wait()
                _replace(supervisord, programs)
    return 0


def _check_restored(data: Path) -> None:
    if get_restore_marker(data).exists():
        raise RestoreUnfinished


@contextlib.contextmanager
def prevent_start(data: Path) -> Iterator[BinaryIO]:
    """Prevent a start of `cvms up` on `data` while the block runs; yield the lock.

    Raises:
        AlreadyRunning: If it runs.
    """
    run = private.ensure_folder(data / "run")
    with disk.open_private(run / "up.lock", "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(_describe_holder(run)) from None
        yield lock


def get_restore_marker(data: Path) -> Path:
    """Return the file that exists as long as a restore is not complete."""
    return data / "run" / "restoring"


@contextlib.contextmanager
def _supervise(
    settings: loading.Settings,
    services: Sequence[processes.Program],
    lock: BinaryIO,
    report: Callable[[str], None],
) -> Iterator[tuple[supervisor.Supervisor, embedded.EmbeddedPostgres | None]]:
    """Prepare the database and the supervisor; stop all of it at the end.

    Yields:
        The supervisor, not started, and the embedded server, if there is one.
    """
    with contextlib.ExitStack() as stack:
        server = database = None
        if settings.database.is_embedded:
            server = stack.enter_context(sharing.own_server(settings.folders.data))
            database = processes.describe_database(server)
            stack.enter_context(watchdog.watch_server(server))
        supervisord = supervisor.Supervisor(
            data=settings.folders.data,
            database=database,
            services=services,
            environment=processes.build_environment(settings),
            home=settings.folders.home,
            lock=lock.fileno(),
            look=logs.LogWatch(
                folder=settings.folders.data / "logs", report=report
            ).look,
        )
        try:
            yield supervisord, server
        finally:
            for number in _SIGNALS:  # a second Ctrl-C must not interrupt the stop
                signal.signal(number, signal.SIG_IGN)
            report("Stopping …")
            supervisord.stop()


def _replace(
    supervisord: supervisor.Supervisor, programs: Sequence[processes.Program]
) -> None:
    """Replace a supervisord that has died; repeat until it starts.

    A start may fail for a while, for example on a full disk.
    """
    while True:
        try:
            supervisord.start()
            _write_holder(supervisord, programs)
            supervisord.start_services()
        except (OSError, supervisor.SupervisorFailed):
            supervisord.stop()
            time.sleep(supervisor.RETRY_SECONDS)
        else:
            return


@contextlib.contextmanager
def _end_at_signal() -> Iterator[None]:
    """End the block, without an error, at Ctrl-C, SIGTERM or SIGHUP."""
    before = {one: signal.signal(one, signal.default_int_handler) for one in _SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _describe_holder(run: Path) -> str:
    """Return a sentence about the process that has the lock of `cvms up`."""
    try:
        holder = json.loads((run / "up.json").read_text())
    except (FileNotFoundError, ValueError):
        holder = {}
    pid, parent = holder.get("pid"), holder.get("supervisor")
    if pid and not psutil.pid_exists(pid):
        return (
            "An earlier `cvms up` was killed, and what it started is being stopped"
            f" by process {parent}. Try again in a moment, or end it: kill {parent}"
        )
    where = ", ".join(holder.get("addresses", {}).values()) or "still starting"
    return (
        f"`cvms up` is running already: process {pid or 'unknown'} ({where})."
        " Stop it with Ctrl-C where it runs, or use it."
    )


def _write_holder(
    supervisord: supervisor.Supervisor, programs: Sequence[processes.Program]
) -> None:
    """Write for a second `cvms up` which process runs, and at which addresses."""
    holder = {
        "pid": os.getpid(),
        "supervisor": supervisord.pid,
        "addresses": _list_urls(programs),
    }
    disk.write(supervisord.data / "run" / "up.json", json.dumps(holder).encode())


def _list_urls(programs: Sequence[processes.Program]) -> dict[str, str]:
    found = (program.address for program in programs)
    return {address.title: address.url for address in found if address}


def _check_ports(programs: Sequence[processes.Program]) -> None:
    for address in filter(None, (program.address for program in programs)):
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((address.host, address.port))
            except OSError as error:
                raise PortInUse(
                    f"{address.title} cannot listen on {address.host}, port"
                    f" {address.port}: {error.strerror}. Set {address.setting} to a"
                    " free port, for example"
                    f" {address.setting}={address.port + 1}"
                ) from None


def _wait_until_all_answer(data: Path, programs: Sequence[processes.Program]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    logs = data / "logs"
    while not all(map(_answers, programs)):
        for name, state in supervisor.get_process_states(data).items():
            if state in _FAILED_STATES:
                raise ServiceFailed(
                    f"The {name} ended right after its start; see {logs / name}.log"
                )
        if time.monotonic() > deadline:
            raise ServiceFailed(
                f"Not everything works after {_READY_SECONDS} s; see the logs in {logs}"
            )
        time.sleep(_POLL_SECONDS)


def _answers(program: processes.Program) -> bool:
    """Return whether a program works, if it has a socket or an address to ask at."""
    try:
        if program.socket:
            with socket.socket(socket.AF_UNIX) as attempt:
                attempt.connect(str(program.socket))
        return program.address is None or _answers_at(program.address)
    except (OSError, http.client.HTTPException):
        return False


def _answers_at(address: processes.Address) -> bool:
    connection = http.client.HTTPConnection(
        address.reachable_host, address.port, timeout=_ANSWER_SECONDS
    )
    method, body = "GET", None
    if address.question is not None:
        method, body = "POST", json.dumps(address.question)
    headers = {"Content-Type": "application/json"}
    with contextlib.closing(connection):
        connection.request(method, address.path, body, headers)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
        return answer.status == http.HTTPStatus.OK and address.words in body
