"""A pipeline on a real database, real folders and real mail, in words for tests.

The clock is the only thing that is not real: a test can set it forward.
"""

import datetime as dt
import email
import email.message
import email.policy
import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from aiosmtpd import controller, smtp

from benchmarks import ports
from cvms_pipeline import bootstrap
from cvms_pipeline.domain.vocabulary import provider, upload
from cvms_pipeline.files import provider_folders
from cvms_pipeline.settings import loading
from cvms_pipeline.store import providers, search, uploads
from cvms_pipeline.store.removals import removing, requests
from cvms_pipeline.use_cases import (
    deliver,
    history,
    pipelines,
    process,
    publish,
    receive,
)

HEADER = "First name,Last name,Date of birth,Email"
ANN = "Ann,Lee,1/2/1990,ann@b.example.org"
BOB = "Bob,Lee,3/4/1991,bob@b.example.org"
BAD = "Cy,,13/41/1991,cy@b.example.org"
ANSWERS = {
    "phone": "9195550123",
    "address_1": "1 Main St",
    "city": "Durham",
    "state": "NC",
    "zip": "27701",
    "county": "Durham",
    "sex": "female",
    "races": ["white"],
    "ethnicity": "hispanic",
    "language": "spanish",
    "vaccine_group": "Group 2: Adults 65 years or older",
}
"""What a recipient types into the registration form."""
LOW, HIGH = upload.Lane.LOW_VOLUME, upload.Lane.HIGH_VOLUME


@dataclass
class Clock:
    """The real time, and as much as a test has added."""

    ahead: dt.timedelta = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return loading.now() + self.ahead

    def forward(self, **amounts: float) -> None:
        self.ahead += dt.timedelta(**amounts)


@dataclass
class Mailbox:
    """A mail server's side: what it was given, and what it answers to whom."""

    received: list[email.message.EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope: smtp.Envelope):  # noqa: N802 - aiosmtpd's name
        self.received.append(parsed(envelope.content))
        return self.answers.get("data", "250 OK")


class MailServer:
    """A mail server on one port that can be stopped and started again."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.port = ports.find_free()
        self._mailbox = mailbox
        self._running: controller.Controller | None = None

    def start(self) -> None:
        self._running = controller.Controller(
            self._mailbox, hostname="127.0.0.1", port=self.port
        )
        self._running.start()

    def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.stop()


@dataclass(kw_only=True)
class Installation:
    """What a test does with a pipeline."""

    pipeline: pipelines.Pipeline
    clock: Clock
    home: Path

    def add_provider(self, slug: str, *, is_enabled: bool = True) -> None:
        added = provider.Provider(
            slug=slug,
            name=slug.title(),
            vfc_pin="NCA123456",
            emails=(f"staff@{slug}.example.org",),
            is_enabled=is_enabled,
            created_at=self.clock(),
        )
        with self.pipeline.store.begin() as conn:
            providers.add(conn, added)
        provider_folders.make_folders(self.pipeline.folders, slug)

    def lane(self, slug: str = "mercy", lane: upload.Lane = LOW) -> Path:
        return self.pipeline.folders.root / slug / lane

    def drop(
        self,
        content: bytes | Sequence[str],
        *,
        slug: str = "mercy",
        lane: upload.Lane = LOW,
        file_name: str = "staff.csv",
    ) -> Path:
        """Put a file there, from its bytes or from its rows below the header."""
        rows = "" if isinstance(content, bytes) else "\r\n".join([HEADER, *content])
        data = content if isinstance(content, bytes) else rows.encode()
        folder = self.lane(slug, lane)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name
        path.write_bytes(data)
        return path

    def take_in(self) -> Sequence[uploads.Upload]:
        """Receive all that lies there, and return what awaits a run."""
        while not receive.receive(self.pipeline).is_complete:
            time.sleep(0.01)  # until it has settled
        return receive.request_runs(self.pipeline).uploads

    def receive(self, content: bytes | Sequence[str], **where: Any) -> str:
        """Drop one file and take it in; return the upload's id."""
        self.drop(content, **where)
        (taken,) = self.take_in()
        return taken.id

    def process(self, upload_id: str, run_id: str = "run") -> process.Loaded:
        """Do what the ops of `recipients` do, then publish and send the notice."""
        read = process.read_rows(self.pipeline, upload_id, run_id).sheet
        judged = process.validate_rows(self.pipeline, upload_id, read)
        decided = process.find_duplicates(self.pipeline, upload_id, judged)
        loaded = process.load(self.pipeline, upload_id, decided)
        publish.publish(self.pipeline, upload_id)
        deliver.send_notice(self.pipeline, upload_id)
        return loaded

    def bring(self, content: bytes | Sequence[str], **where: Any) -> str:
        """Drop, take in and process one file; return the upload's id."""
        upload_id = self.receive(content, **where)
        self.process(upload_id)
        return upload_id

    def upload(self, upload_id: str) -> uploads.Upload:
        return history.get_upload(self.pipeline, upload_id)

    def execute(self, statement: str) -> None:
        with self.pipeline.store.begin() as conn:
            conn.execute(sa.text(statement))

    def table(self, query: str) -> pd.DataFrame:
        with self.pipeline.store.begin() as conn:
            rows = conn.execute(sa.text(query))
            return pd.DataFrame(rows.all(), columns=list(rows.keys()))

    def column(self, query: str) -> list[Any]:
        return self.table(query).iloc[:, 0].tolist()

    def remove(self, name: str, case_number: int = 1001) -> str:
        """Remove the person of this name, as two people would; return the id."""
        with self.pipeline.store.begin() as conn:
            found = search.search_recipients(conn, [name]).recipients
            (recipient_id,) = found.loc[found["first_name"] == name, "recipient_id"]
            asked_by, approved_by = str(uuid.uuid4()), str(uuid.uuid4())
            now = self.clock()
            requests.ask(conn, case_number, recipient_id, asked_by=asked_by, now=now)
            removing.remove(conn, case_number, approved_by=approved_by, now=now)
        return recipient_id

    def everything(self) -> dict[str, str]:
        """Return all that an upload leaves behind, but for when and by which run."""
        tables = ("recipients", "recipient_changes", "rejected_rows", "messages")
        kept = {
            name: self.table(f"SELECT * FROM cvms.{name} ORDER BY 1, 2").to_csv()  # noqa: S608 # names above
            for name in tables
        }
        counts = "status, rows, loaded, updated, rejected, reasons::text, decided_at"
        kept["uploads"] = self.table(
            f"SELECT id, {counts} FROM cvms.uploads ORDER BY id"  # noqa: S608 # names above
        ).to_csv()
        return kept | self.files()

    def files(self) -> dict[str, str]:
        """Return the reports, the results and the messages, by path."""
        roots = (self.pipeline.reports.root, self.pipeline.folders.root, self.maildir)
        found = sorted(path for root in roots for path in root.rglob("*"))
        return {
            str(path.relative_to(self.home)): path.read_bytes().hex()
            for path in found
            if path.is_file() and ".claims" not in path.parts
        }

    @property
    def maildir(self) -> Path:
        return self.home / "data" / "mail"

    def mail(self) -> list[email.message.EmailMessage]:
        """Return the messages in the Maildir, in order of address and subject."""
        found = [parsed(path.read_bytes()) for path in self.maildir.rglob("new/*")]
        return sorted(found, key=lambda each: (each["To"], each["Subject"]))

    def results(self, slug: str = "mercy") -> list[str]:
        """Return what lies in the provider's results: file names without folders."""
        folder = self.pipeline.folders.root / slug / "results"
        return sorted(path.name for path in folder.glob("*/*"))

    def receipt(self, upload_id: str, slug: str = "mercy") -> str:
        """Return the receipt of an upload."""
        folder = self.pipeline.folders.root / slug / "results"
        (path,) = folder.glob(f"*{upload_id}/receipt.txt")
        return path.read_text("utf-8")

    def by_smtp(self, port: int) -> "Installation":
        """Return the same with a mail server on `port` in place of the Maildir."""
        by_smtp = bootstrap.open_mailer(f"smtp://127.0.0.1:{port}", self.maildir)
        return replace(self, pipeline=replace(self.pipeline, mailer=by_smtp))


def parsed(data: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(data, policy=email.policy.default)


def opened(
    home: Path, database_url: str, patch: pytest.MonkeyPatch, *, is_new: bool = True
) -> Installation:
    """Open a pipeline with its folders below `home`; a new one gets `mercy`."""
    for name in [name for name in os.environ if name.startswith("CVMS_")]:
        patch.delenv(name)
    home.mkdir(exist_ok=True)
    patch.setenv("CVMS_HOME", str(home))
    patch.setenv("CVMS_DATABASE_URL", database_url)
    patch.setenv("CVMS_SETTLE_SECONDS", "0")
    patch.setenv("CVMS_UNFINISHED_SECONDS", "0")
    clock = Clock()
    pipeline = replace(bootstrap.open_pipeline(loading.load()), now=clock)
    made = Installation(pipeline=pipeline, clock=clock, home=home)
    if is_new:
        made.add_provider("mercy")
    return made
