"""Several machines on this one: processes with separate homes and data folders.

They share a Postgres, a broker, the incoming folder, the archive and the reports, as
containers do.  The commands are those of `local.processes`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import installations
import pytest
import sqlalchemy as sa
import yaml

from benchmarks import ports
from cvms_pipeline import bootstrap
from cvms_pipeline.local import processes
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[3]
REDIS_PASSWORD = "canary-password"
_SECONDS = 150
_SHARED = ("incoming", "archive", "reports")


@dataclass(kw_only=True)
class Machine:
    """A home folder with its own data folder, and what runs on it."""

    home: Path
    settings: loading.Settings
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    patience: dict[str, int] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start services of `cvms up`, each in a process group of its own."""
        found = {each.name: each for each in processes.prepare_services(self.settings)}
        for name in names:
            self.running[name] = self._open(name, list(found[name].command))
            self.patience[name] = found[name].stop_seconds

    def prepare(self) -> None:
        """Make Dagster's and Celery's tables, as the one-shot `migrate` does."""
        command = [sys.executable, "-m", "cvms_pipeline.run_engine.prepare"]
        assert self._open("prepare", command).wait(_SECONDS) == 0, self.log("prepare")

    def kill(self, name: str) -> None:
        """End a service with all its children, without a word."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGINT)
        for name, process in self.running.items():
            try:
                process.wait(self.patience[name])
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text("utf-8", "replace")

    def work(self) -> list[str]:
        """Return the uploads of which this machine holds rows between steps."""
        return sorted(
            path.name for path in self.settings.folders.path("work").glob("*")
        )

    def _open(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 # our own words
                command,
                cwd=self.home,
                env=processes.build_environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@dataclass(kw_only=True)
class Cluster:
    """A machine that controls, two that work, and what providers see of them."""

    control: Machine
    workers: tuple[Machine, Machine]
    site: installations.Installation
    mailbox: installations.Mailbox

    @property
    def machines(self) -> tuple[Machine, ...]:
        return self.control, *self.workers

    def start(self) -> None:
        self.control.prepare()
        self.control.start("code", "daemon")
        for machine in self.workers:
            machine.start("worker")

    def eventually(self, condition: Callable[[], Any]) -> Any:
        """Return what `condition` returns once it is true, unless something dies."""
        deadline = time.monotonic() + _SECONDS
        while not (found := condition()):
            dead = [
                machine.log(name)
                for machine in self.machines
                for name, process in machine.running.items()
                if process.poll() is not None
            ]
            assert not dead, dead
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.1)
        return found

    def uploads(self, count: int) -> list[str]:
        """Return the uploads once there are so many."""

        def found() -> list[str] | None:
            ids = self.site.column("SELECT id FROM cvms.uploads ORDER BY 1")
            return ids if len(ids) == count else None

        return list(self.eventually(found))

    def statuses(self) -> set[str]:
        return set(self.site.column("SELECT DISTINCT status FROM cvms.uploads"))

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let everyone who wants to write the table wait."""
        with self.site.pipeline.store.begin() as conn:
            conn.execute(sa.text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            yield

    def count_waiting(self) -> int:
        """Return how many sessions wait for a lock."""
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return int(self.site.column(waiting)[0])

    def runs(self, upload_id: str) -> list[tuple[str, str]]:
        """Return the runs that processed an upload, the first one first."""
        found = self.site.table(
            "SELECT r.run_id, r.status FROM dagster.runs r JOIN dagster.run_tags t"  # noqa: S608 # an id of ours
            f" USING (run_id) WHERE t.key = 'dagster/partition' AND t.value ="
            f" '{upload_id}' AND r.pipeline_name = 'process_upload' ORDER BY r.id"
        )
        return [tuple(row) for row in found.itertuples(index=False)]

    def steps(self, run_id: str) -> set[str]:
        """Return the steps that a run has begun."""
        query = (
            "SELECT step_key FROM dagster.event_logs WHERE"  # noqa: S608 # an id of Dagster's
            f" run_id = '{run_id}' AND dagster_event_type = 'STEP_START'"
        )
        return set(self.site.column(query))


@contextmanager
def cluster(
    folder: Path, database_url: str, broker: Mapping[str, str]
) -> Iterator[Cluster]:
    """Start a cluster below `folder`; stop all of it at the end."""
    mailbox = installations.Mailbox()
    server = installations.MailServer(mailbox)
    server.start()
    common = {
        **{f"{name}_dir": folder / name for name in _SHARED},
        **broker,
        "database_url": database_url,
        "smtp_url": f"smtp://127.0.0.1:{server.port}",
        "secret_key": "shared-by-every-machine-of-the-test",
    }
    control = _machine(folder / "control", workers=2, **common)
    one = _machine(folder / "one", workers=1, **common)
    two = _machine(folder / "two", workers=1, **common)
    pipeline = bootstrap.open_pipeline(control.settings)
    site = installations.Installation(
        pipeline=pipeline, clock=installations.Clock(), home=control.home
    )
    made = Cluster(control=control, workers=(one, two), site=site, mailbox=mailbox)
    try:
        made.start()
        yield made
    finally:
        for machine in made.machines:
            machine.stop()
        pipeline.close()
        server.stop()


def _machine(home: Path, **values: Any) -> Machine:
    home.mkdir()
    shutil.copy(ROOT / "dagster.yaml", home)
    return Machine(home=home, settings=loading.load(home=home, **values))


def find_redis() -> str:
    """Return the program, or skip the test."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip(
            "NOT TESTED WITH REDIS: there is no redis-server on the PATH;"
            " on Debian: apt-get install redis-server"
        )
    return program


@contextmanager
def redis(folder: Path, program: str) -> Iterator[dict[str, str]]:
    """Run a Redis on a free port as compose.yaml does; yield the settings that name it.

    It differs in the port, the folder and the user, which the image's script chooses.
    """
    port = ports.find_free()
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    shell, option, script = compose["services"]["redis"]["command"]
    ours = f"{program} - --port {port} --bind 127.0.0.1 --dir {folder}"
    script = script.replace("docker-entrypoint.sh redis-server -", ours)
    command = [shell, option, script.replace("$$", "$")]
    environment = {**os.environ, "REDISCLI_AUTH": REDIS_PASSWORD}
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 # of the project's own file
            command, stdout=log, stderr=log, env=environment
        )
    try:
        _wait_until_answers(port, process, log)
        server = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}"
        yield {"broker_url": f"{server}/0", "result_backend_url": f"{server}/1"}
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_answers(
    port: int, process: subprocess.Popen[bytes], log: IO[bytes]
) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(Path(log.name).read_text())
