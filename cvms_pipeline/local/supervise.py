"""`cvms up`: everything in its order, until Ctrl-C.

One supervisord does the keeping; here is what surrounds it: that there is only
one `cvms up`, that ports are free, that the database is there and migrated before
anything uses it, and that nothing is left behind, whoever dies.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.local import (
    locks,
    postgres,
    private,
    processes,
    restarts,
    stuck,
    supervisor,
)

Addresses = Mapping[str, str]

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
    settings: settings_.Settings,
    *,
    migrate: Callable[[], None],
    ready: Callable[[Addresses], bool | None],
    services: Sequence[processes.Program] | None = None,
) -> int:
    """Run everything until Ctrl-C, SIGTERM or SIGHUP; return the exit code 0.

    Args:
        settings: What the processes get through the environment.
        migrate: Called once, when the database runs and nothing uses it yet.
        ready: Called once, when everything answers, with URLs; True stops it all.
        services: What to run; default: all that the product needs.

    Raises:
        AlreadyRunning: If another one runs on the same data folder.
        PortInUse: Before anything is started.
        ServiceFailed: If a process ends while everything is being started.
        RestoreUnfinished: If half of a restore is all there is.
    """
    run = private.folder(settings.data / "run")
    with locks.opened(run / "up.lock") as lock, _until_stopped():
        _claim(run, lock)
        _check_restored(settings.data)
        programs = services or processes.services(settings)
        for program in programs:
            _check_port(program)
        with _supervised(settings, programs, lock) as (keeper, wait_for_database):
            keeper.start()
            _record(run, keeper, programs)
            wait_for_database()
            migrate()
            keeper.start_services()
            _wait_until_all_answer(settings.data, programs)
            done = ready(_addresses(programs))
            while not done:
                keeper.wait()
                _start_again(run, keeper, programs)
    return 0


@contextlib.contextmanager
def standing_still(data: Path) -> Iterator[None]:
    """Keep `cvms up` from being started on `data` while the block runs.

    Raises:
        AlreadyRunning: If it runs.
    """
    run = private.folder(data / "run")
    with locks.opened(run / "up.lock") as lock:
        _claim(run, lock)
        yield


def restore_marker(data: Path) -> Path:
    """Return the file that is there as long as a restore is not complete."""
    return data / "run" / "restoring"


def _check_restored(data: Path) -> None:
    """Check that this is not the half of a restore."""
    if restore_marker(data).exists():
        raise RestoreUnfinished


@contextlib.contextmanager
def _supervised(
    settings: settings_.Settings, services: Sequence[processes.Program], lock: int
) -> Iterator[tuple[supervisor.Supervisor, Callable[[], None]]]:
    """Prepare the database and the supervisor; stop all of it at the end."""
    with contextlib.ExitStack() as stack:
        database, wait_for_database = None, _no_wait
        if settings.database_url is None:
            server = stack.enter_context(postgres.kept(settings.data))
            database, wait_for_database = processes.database(server), server.wait_ready
            stack.enter_context(stuck.watched(server))
        keeper = supervisor.Supervisor(
            settings.data,
            database=database,
            services=services,
            environment=processes.environment(settings),
            home=settings.home,
            lock=lock,
        )
        try:
            yield keeper, wait_for_database
        finally:
            for number in _SIGNALS:  # it is being done
                signal.signal(number, signal.SIG_IGN)
            keeper.stop()


def _start_again(
    run: Path, keeper: supervisor.Supervisor, programs: Sequence[processes.Program]
) -> None:
    """Replace a supervisord that has died, as often as it takes: a disk may be full."""
    while True:
        try:
            keeper.start()
            _record(run, keeper, programs)
            keeper.start_services()
        except (OSError, supervisor.SupervisorFailed):
            keeper.stop()
            time.sleep(restarts.LONGEST_SECONDS)
        else:
            return


def _no_wait() -> None:
    """Wait for nothing: a database of one's own is there or the migration says no."""


@contextlib.contextmanager
def _until_stopped() -> Iterator[None]:
    """End the block, without an error, at Ctrl-C, SIGTERM or SIGHUP."""
    before = {one: signal.signal(one, signal.default_int_handler) for one in _SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _claim(run: Path, lock: int) -> None:
    """Take the lock for good, or say who has it."""
    if locks.try_take(lock):
        return
    try:
        holder = json.loads((run / "up.json").read_text())
    except (FileNotFoundError, ValueError):
        holder = {}
    pid, keeper = holder.get("pid"), holder.get("supervisor")
    if pid and not psutil.pid_exists(pid):
        raise AlreadyRunning(
            "An earlier `cvms up` was killed, and what it started is being stopped"
            f" by process {keeper}. Try again in a moment, or end it: kill {keeper}"
        )
    where = ", ".join(holder.get("addresses", {}).values()) or "still starting"
    raise AlreadyRunning(
        f"`cvms up` is running already: process {pid or 'unknown'} ({where})."
        " Stop it with Ctrl-C where it runs, or use it."
    )


def _record(
    run: Path, keeper: supervisor.Supervisor, programs: Sequence[processes.Program]
) -> None:
    """Leave for others who runs, and where."""
    about = {
        "pid": os.getpid(),
        "supervisor": keeper.pid,
        "addresses": _addresses(programs),
    }
    private.write(run / "up.json", json.dumps(about))


def _addresses(programs: Sequence[processes.Program]) -> dict[str, str]:
    found = (program.address for program in programs)
    return {address.title: address.url for address in found if address}


def _check_port(program: processes.Program) -> None:
    address = program.address
    if address is None:
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address.host, address.port))
        except OSError as error:
            raise PortInUse(
                f"{address.title} cannot listen on {address.host}, port"
                f" {address.port}: {error.strerror}. Set {address.setting} to a free"
                f" port, for example {address.setting}={address.port + 1}"
            ) from None


def _wait_until_all_answer(data: Path, programs: Sequence[processes.Program]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not all(map(_answers, programs)):
        states = supervisor.process_states(data)
        failed = [name for name, state in states.items() if state in _FAILED_STATES]
        if failed or time.monotonic() > deadline:
            raise ServiceFailed(_what_failed(failed, data / "logs"))
        time.sleep(_POLL_SECONDS)


def _what_failed(failed: Sequence[str], logs: Path) -> str:
    if not failed:
        return f"Not everything works after {_READY_SECONDS} s; see the logs in {logs}"
    return f"The {failed[0]} ended right after its start; see {logs / failed[0]}.log"


def _answers(program: processes.Program) -> bool:
    """Return whether a program works, as far as it can be asked."""
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
    with contextlib.closing(connection):
        connection.request("GET", address.path)
        answer = connection.getresponse()
        is_fine = answer.status == http.HTTPStatus.OK
        return is_fine and address.words in answer.read().decode("utf-8", "replace")
