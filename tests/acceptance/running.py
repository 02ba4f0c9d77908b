"""`cvms up` in separate processes, and what providers and data-ops do with it."""

import email
import email.message
import email.policy
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from benchmarks import ports
from cvms_pipeline.database import engine
from cvms_pipeline.settings import loading

ROOT = Path(__file__).parents[2]
SLUG = "mercy-hospital"
HEADER = "First name,Last name,Date of birth,Email"
WORKER = "cvms_pipeline.run_engine.worker"
_SECONDS = 150
_START_SECONDS = 240


@dataclass(kw_only=True)
class Running:
    """A running installation in a folder of its own."""

    home: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    store: engine.Store = field(init=False)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> str:
        return (self.home / "up.log").read_text("utf-8", "replace")

    def cvms(self, *words: str) -> str:
        """Return what the command `cvms` prints."""
        command = [sys.executable, "-m", "cvms_pipeline.cli", *words]
        ended = subprocess.run(  # noqa: S603 # our own words
            command, env=self.environment, cwd=self.home, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def eventually(self, condition: Callable[[], Any], seconds: int = _SECONDS) -> Any:
        """Return what `condition` returns once it is true."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"it never came true; {self.log}"
            assert self.process.poll() is None, self.log
            time.sleep(0.1)
        return found

    def drop(
        self,
        content: Sequence[str] | Path,
        lane: str = "low_volume",
        slug: str = SLUG,
    ) -> str:
        """Copy a file, or rows below the header, into the folder; return its name."""
        number = len(list((self.home / "dropped").iterdir()))
        source = self.home / "dropped" / f"staff-{number}.csv"
        if isinstance(content, Path):
            shutil.copy(content, source)
        else:
            source.write_text("\r\n".join([HEADER, *content, ""]), "utf-8")
        shutil.copy(source, self.data / "incoming" / slug / lane)
        return source.name

    def upload_of(self, file_name: str) -> str:
        """Return the id of the upload of a dropped file, once it is registered."""
        query = "SELECT id FROM cvms.uploads WHERE file_name = :file_name"
        rows = self.eventually(lambda: self.rows(query, file_name=file_name))
        return str(rows[0][0])

    def bring(self, content: Sequence[str] | Path, lane: str = "low_volume") -> str:
        """Drop a file and wait until all its messages are out; return the upload."""
        upload_id = self.upload_of(self.drop(content, lane))
        self.finished(upload_id)
        return upload_id

    def finished(self, upload_id: str) -> None:
        """Wait until an upload is decided, told of, and no run of it goes on."""
        self.eventually(lambda: self.status(upload_id) in _FINISHED)
        waiting = (
            "SELECT 1 FROM cvms.messages WHERE upload_id = :id AND status = 'waiting'"
        )
        self.eventually(lambda: not self.rows(waiting, id=upload_id))
        self.eventually(
            lambda: all(r["status"] in _ENDED for r in self.runs(upload_id))
        )

    def status(self, upload_id: str) -> str:
        query = "SELECT status FROM cvms.uploads WHERE id = :id"
        return str(self.rows(query, id=upload_id)[0][0])

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        with self.store.begin() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query), values)]

    def execute(self, statement: str) -> None:
        with self.store.begin() as conn:
            conn.execute(sa.text(statement))

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let everyone who wants to write the table wait."""
        with self.store.begin() as conn:
            conn.execute(sa.text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            yield

    def someone_waits(self) -> bool:
        """Return whether somebody waits for a table: not for a lock of another kind."""
        query = (
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
            " AND relation::regclass::text LIKE 'cvms.%'"
        )
        return bool(self.rows(query))

    def kept(self, upload_id: str) -> dict[str, Any]:
        """Return all that an upload has left behind, whoever looked at it since."""
        tables = ("recipients", "recipient_changes", "rejected_rows", "messages")
        found: dict[str, Any] = {
            name: self.rows(
                f"SELECT * FROM cvms.{name} WHERE upload_id = :id ORDER BY 1, 2",  # noqa: S608 # names above
                id=upload_id,
            )
            for name in tables
        }
        counts = "status, rows, loaded, updated, rejected, reasons, decided_at"
        query = f"SELECT {counts} FROM cvms.uploads WHERE id = :id"  # noqa: S608 # names above
        found["upload"] = self.rows(query, id=upload_id)
        found["results"] = {
            path.name: path.read_bytes() for path in self.results(upload_id).iterdir()
        }
        found["mail"] = sorted(path.name for path in self.maildir.rglob("*.cvms*"))
        return found

    def results(self, upload_id: str) -> Path:
        """Return the folder that was made in the provider's results."""
        root = self.data / "incoming" / SLUG / "results"
        (folder,) = root.glob(f"*{upload_id}")
        return folder

    @property
    def maildir(self) -> Path:
        return self.data / "mail"

    def mail(self, text: str) -> list[email.message.EmailMessage]:
        """Return the messages whose text, subject or address holds `text`."""
        read = email.message_from_bytes
        found = [
            read(path.read_bytes(), policy=email.policy.default)
            for path in self.maildir.rglob("new/*")
        ]
        return [each for each in found if text in _all_text(each)]

    def graphql(self, query: str, **variables: Any) -> Any:
        """Return the answer to the one question in a query, as the UI asks it."""
        request = urllib.request.Request(  # our own server
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 # the same
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        (result,) = answer["data"].values()
        return result

    def runs(self, upload_id: str, **filters: Any) -> list[dict[str, Any]]:
        """Return the runs of an upload, latest first."""
        tag = {"key": "dagster/partition", "value": upload_id}
        result = self.graphql(_RUNS, filter={"tags": [tag], **filters})
        return list(result["results"])

    def ended(self, run_id: str) -> dict[str, Any]:
        """Return a run once it has ended."""

        def found() -> dict[str, Any] | None:
            (run,) = self.graphql(_RUNS, filter={"runIds": [run_id]})["results"]
            return run if run["status"] in _ENDED else None

        return dict(self.eventually(found))

    def worker(self) -> psutil.Process | None:
        """Return the worker that forks the others, if it runs."""
        everyone = psutil.Process(self.process.pid).children(recursive=True)
        ids = {each.pid for each in everyone if _is_worker(each)}
        return next((e for e in everyone if e.pid in ids and e.ppid() not in ids), None)


_FINISHED = {"completed", "completed_with_errors", "refused"}
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_RUNS = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    ... on Runs { results { runId status jobName stepStats { stepKey status } } }
    ... on PythonError { message }
  }
}
"""


def _is_worker(process: psutil.Process) -> bool:
    try:
        return WORKER in process.cmdline()
    except psutil.Error:
        return False


def _all_text(message: email.message.EmailMessage) -> str:
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    return f"{message['To']}\n{message['Subject']}\n{text}"


@contextmanager
def started() -> Iterator[Running]:
    """Start everything in a temporary folder; stop all of it at the end."""
    with tempfile.TemporaryDirectory(prefix="cvms-") as name:
        home = Path(name)
        (home / "dropped").mkdir()
        for file_name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / file_name, home)
        port = ports.find_free()
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CVMS_")},
            "CVMS_HOME": name,
            "CVMS_DATA_DIR": str(home / "data"),
            "CVMS_PORT": str(port),
            "CVMS_PORTAL_PORT": str(ports.find_free()),
            "DAGSTER_HOME": name,
            "PYTHONFAULTHANDLER": "1",  # what aborts says where it was
        }
        with (home / "up.log").open("wb") as log:
            process = subprocess.Popen(  # our own words
                [sys.executable, "-m", "cvms_pipeline.cli", "up"],
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        running = Running(
            home=home, port=port, environment=environment, process=process
        )
        try:
            yield _ready(running)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(180)


def _ready(running: Running) -> Running:
    running.eventually(lambda: "is running" in running.log, _START_SECONDS)
    chosen = loading.load(home=running.home, data_dir=running.data)
    running.store = engine.Store(chosen.urls.owner)
    words = ("--name", "Mercy", "--pin", "NCA123456", "--email", "staff@m.example.org")
    running.cvms("providers", "add", SLUG, *words)
    return running
