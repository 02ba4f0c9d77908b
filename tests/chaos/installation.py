"""A `cvms up` in a separate folder for faults: its processes, its disk, its tables.

Which faults happen, and when, is `faults`.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import psycopg2.extras

from benchmarks import ports
from tests.chaos import disks, mail, plan, senders

ROOT = Path(__file__).parents[2]
_START_SECONDS = 240
_STOP_SECONDS = 180


@dataclass(kw_only=True)
class Installation:
    """A running installation and the mail server it sends to.

    Attributes:
        accounts: The usernames of the providers that send in the portal.
    """

    home: Path
    up: subprocess.Popen[bytes]
    environment: dict[str, str]
    server: mail.MailServer
    disk: disks.Disk
    accounts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def portal(self) -> str:
        """Return where the portal is."""
        return f"http://127.0.0.1:{self.environment['CVMS_PORTAL_PORT']}"

    @property
    def data(self) -> Path:
        """Return the data folder."""
        return self.home / "data"

    @property
    def incoming(self) -> Path:
        """Return the incoming folder, on another disk than the data."""
        return self.home / "incoming"

    @property
    def log(self) -> str:
        """Return what `cvms up` has printed."""
        return (self.home / "up.log").read_text("utf-8", "replace")

    def cvms(self, *words: str) -> str:
        """Run a command of `cvms`; return what it has printed."""
        command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
        ended = subprocess.run(
            command,
            env=self.environment,
            cwd=self.home,
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout

    def add_account(self, slug: str) -> None:
        """Add somebody who sends a provider's files in the portal."""
        known = self.accounts.setdefault(slug, [])
        username = f"sender{len(known)}@{slug}.example.org"
        words = ("--provider", slug, "--print", "--json")
        made = json.loads(self.cvms("accounts", "add", username, *words))
        senders.set_password(self.portal, made["link"], username)
        known.append(username)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return what Postgres answers, asked past all code of the product.

        Raises:
            psycopg2.Error: If it is away.
        """
        url = (self.data / "run" / "database_url").read_text().strip()
        with (
            contextlib.closing(psycopg2.connect(url, connect_timeout=5)) as conn,
            conn.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(query)
            return [dict(row) for row in cursor.fetchall()]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return who runs, by role; `worker` and `postgres` are the parents."""
        found: dict[str, list[psutil.Process]] = {}
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(self.up.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    role = _role(process)
                    found.setdefault(role, []).append(process)
        return found


_COMMANDS = {
    "cvms_pipeline.local.parent_watch": "supervisor",
    "cvms_pipeline.run_engine.worker": "worker",
    "cvms_pipeline.run_engine.daemon": "daemon",
    "cvms_pipeline.run_engine.web_server": "webserver",
    "cvms_pipeline.portal.site.serving": "portal",  # both: who watches, who answers
    "grpc": "code",
    "postgres": "postgres",
}
_CHILDREN = {"worker": "child", "postgres": "backend"}


def _role(process: psutil.Process) -> str:
    role = _by_command(process)
    parent = process.parent()
    is_child = parent is not None and role in _CHILDREN and _by_command(parent) == role
    return _CHILDREN[role] if is_child else role


def _by_command(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    return next((role for mark, role in _COMMANDS.items() if mark in words), "other")


@contextlib.contextmanager
def started(*, keep: bool = False, accounts: int = 1) -> Iterator[Installation]:
    """Start everything below a private temporary folder; stop all of it at the end.

    Each provider that sends in the portal has so many `accounts` there.
    """
    home = Path(tempfile.mkdtemp(prefix="cvms-chaos-"))
    server = mail.MailServer()
    server.start()
    disk = disks.under(home / "data", home / "full")
    try:
        with _up(home, server, disk) as running:
            for slug in plan.PROVIDERS:
                words = ("--name", slug, "--email", address(slug))
                running.cvms("providers", "add", slug, *words)
            for slug in plan.IN_PORTAL * accounts:
                running.add_account(slug)
            yield running
    finally:
        server.stop()
        if keep:
            shutil.copytree(home / "data" / "logs", home / "logs", dirs_exist_ok=True)
        disk.take_away()
        if not keep:
            shutil.rmtree(home)


def address(slug: str) -> str:
    """Return where a provider's notices go."""
    return f"staff@{slug}.example.org"


@contextlib.contextmanager
def _up(
    home: Path, server: mail.MailServer, disk: disks.Disk
) -> Iterator[Installation]:
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(ROOT / name, home)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("CVMS_")},
        **disk.environment,
        "CVMS_HOME": str(home),
        "CVMS_DATA_DIR": str(home / "data"),
        "CVMS_INCOMING_DIR": str(home / "incoming"),
        "CVMS_PORT": str(ports.find_free()),
        "CVMS_PORTAL_PORT": str(ports.find_free()),
        "CVMS_REQUIRE_SECOND_FACTOR": "false",
        "CVMS_INVITATION_DELAY_MINUTES": "0",
        "CVMS_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "DAGSTER_HOME": str(home),
    }
    with (home / "up.log").open("wb") as log:
        up = subprocess.Popen(  # our own words
            [sys.executable, "-m", "cvms_pipeline.cli", "up"],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    running = Installation(
        home=home, up=up, environment=environment, server=server, disk=disk
    )
    try:
        _wait_until_ready(running)
        yield running
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(_STOP_SECONDS)


def _wait_until_ready(running: Installation) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while "is running" not in running.log:
        if running.up.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"cvms up did not start: {running.log}")
        time.sleep(0.2)
