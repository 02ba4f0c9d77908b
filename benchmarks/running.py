"""An installation of its own to be measured: `cvms up` in a temporary folder.

Or, to compare, `dagster dev` with Dagster's defaults.  Only starting, dropping,
asking and stopping; what is measured, `orchestration` says.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import sqlalchemy as sa

from benchmarks import database, ports, web
from cvms_pipeline.database import engine
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[1]
PROVIDERS = ("mercy", "duke", "hope", "blue-ridge")
_START_SECONDS = 240
_ONLOOKER = "cvms-benchmark"


@dataclass(kw_only=True)
class Installation:
    """A running installation; `processes` are all of it, Postgres too."""

    data: Path
    environment: dict[str, str]
    up: psutil.Process
    store: engine.Store = field(init=False)

    def __post_init__(self) -> None:
        """Open its store."""
        url = self.environment.get("CVMS_DATABASE_URL")
        chosen = loading.load(home=ROOT, data_dir=self.data, database_url=url)
        named = sa.make_url(chosen.urls.owner).update_query_dict(
            {"application_name": _ONLOOKER}
        )
        self.store = engine.Store(named.render_as_string(hide_password=False))

    @property
    def web(self) -> web.Web:
        """Return what asks its web server."""
        return web.Web(int(self.environment["CVMS_PORT"]))

    def cvms(self, *words: str) -> None:
        """Run a command of `cvms` on it."""
        command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
        subprocess.run(
            command, env=self.environment, cwd=ROOT, check=True, capture_output=True
        )

    def drop(self, content: bytes, *, slug: str, name: str) -> None:
        """Put a file into a provider's low-volume lane, whole."""
        lane = self.data / "incoming" / slug / "low_volume"
        part = lane / f".{name}"
        part.write_bytes(content)
        part.rename(lane / name)

    def seconds_to_notice(self, prefix: str) -> list[float]:
        """Return for the files named so, from claim to notice, in seconds."""
        query = sa.text(
            "SELECT extract(epoch FROM message.sent_at - upload.received_at)"
            " FROM cvms.messages AS message"
            " JOIN cvms.uploads AS upload ON upload.id = message.upload_id"
            " WHERE message.kind = 'notice' AND message.status = 'sent'"
            " AND upload.file_name LIKE :prefix || '%'"
        )
        with self.store.begin() as conn:
            return [float(s) for s in conn.scalars(query, {"prefix": prefix})]

    def notices(self, prefix: str) -> dict[str, float]:
        """Return for the files named so when they were told of, in Unix time."""
        query = sa.text(
            "SELECT upload.file_name, extract(epoch FROM message.sent_at)"
            " FROM cvms.messages AS message"
            " JOIN cvms.uploads AS upload ON upload.id = message.upload_id"
            " WHERE message.kind = 'notice' AND message.status = 'sent'"
            " AND upload.file_name LIKE :prefix || '%'"
        )
        with self.store.begin() as conn:
            rows = conn.execute(query, {"prefix": prefix})
            return {name: float(moment) for name, moment in rows}

    def is_quiet(self) -> bool:
        """Return whether no message waits to be sent."""
        query = sa.text("SELECT count(*) FROM cvms.messages WHERE status = 'waiting'")
        with self.store.begin() as conn:
            return not conn.scalar(query)

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes so far, Postgres' too.

        Not of the one that answers us: how we look is no cost of the installation.
        """
        spent = 0.0
        ours = self._onlookers()
        for process in [self.up, *self.up.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                if process.pid in ours:
                    continue
                times = process.cpu_times()
                spent += times.user + times.system
                spent += times.children_user + times.children_system
        return spent

    def _onlookers(self) -> set[int]:
        """Return the processes of Postgres that work for this object alone."""
        query = sa.text("SELECT pid FROM pg_stat_activity WHERE application_name = :us")
        with self.store.begin() as conn:
            return set(conn.scalars(query, {"us": _ONLOOKER}))


@contextlib.contextmanager
def started(**more: str) -> Iterator[Installation]:
    """Run `cvms up` with the settings `more`; stop it at the end."""
    with _folder() as (folder, environment):
        command = [sys.executable, "-m", "cvms_pipeline.cli", "up"]
        chosen = {
            name: str(ports.find_free()) for name in ("CVMS_PORT", "CVMS_PORTAL_PORT")
        }
        environment |= {**chosen, **more}
        with _running(command, environment, folder, "Drop files into") as made:
            yield made


@contextlib.contextmanager
def started_by_default() -> Iterator[Installation]:
    """Run `dagster dev` on the same assets with nothing set; stop it at the end."""
    with _folder() as (folder, environment), database.throw_away() as url:
        (folder / "dagster").mkdir()
        environment |= {
            "CVMS_DATABASE_URL": url,
            "DAGSTER_HOME": str(folder / "dagster"),
            "DAGSTER_DISABLE_TELEMETRY": "yes",
        }
        place = ["--host", "127.0.0.1", "--port", str(ports.find_free())]
        command = [sys.executable, "-m", "dagster", "dev", "-m", "benchmarks.stock"]
        command += [*place, "--working-directory", str(ROOT)]
        with _running(command, environment, folder, "Serving dagster-webserver") as it:
            yield it


@contextlib.contextmanager
def _folder() -> Iterator[tuple[Path, dict[str, str]]]:
    with tempfile.TemporaryDirectory(
        prefix="cvms-bench-", ignore_cleanup_errors=True
    ) as name:
        unset = ("CVMS_", "DAGSTER_")
        own = {k: v for k, v in os.environ.items() if not k.startswith(unset)}
        data = str(Path(name) / "data")
        yield Path(name), {**own, "CVMS_HOME": str(ROOT), "CVMS_DATA_DIR": data}


@contextlib.contextmanager
def _running(
    command: list[str], environment: dict[str, str], folder: Path, ready: str
) -> Iterator[Installation]:
    """Have the installation that `command` starts, once its log holds `ready`."""
    with (folder / "log").open("wb") as log:
        up = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until(ready, up, folder / "log")
        made = Installation(
            data=folder / "data", environment=environment, up=psutil.Process(up.pid)
        )
        for slug in PROVIDERS:
            made.cvms(
                *("providers", "add", slug, "--name", slug, "--pin", "VAC2021"),
                *("--email", f"{slug}@example.org"),
            )
        yield made
        made.store.close()
    finally:
        _stop(up)


def _stop(up: subprocess.Popen[bytes]) -> None:
    """Stop the installation; what takes too long to go is ended."""
    processes = psutil.Process(up.pid).children(recursive=True)
    up.terminate()
    try:
        up.wait(timeout=90)
    except subprocess.TimeoutExpired:
        up.kill()
        up.wait()
    for left in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            left.kill()


def _wait_until(ready: str, up: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while ready not in log.read_text("utf-8", "replace"):
        if up.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"It did not start: {log.read_text()[-2000:]}")
        time.sleep(0.2)
