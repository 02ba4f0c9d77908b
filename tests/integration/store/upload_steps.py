"""The way of an upload through the store, in a few words for tests."""

import datetime as dt
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import outcome
from cvms_pipeline.domain.sheets import sheet
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import provider, upload
from cvms_pipeline.store import loading, recipients, search, uploads
from cvms_pipeline.store.removals import removing, requests

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HEADER = "First name,Last name,Date of birth,Email"
ANN = "Ann,Lee,1/2/1990,ann@b.org"
BOB = "Bob,Lee,1/2/1990,bob@b.org"
BAD = "Cy,,1/2/1990,cy@b.org"
STAFF = "00000000-0000-4000-8000-000000000001"
OWNER = "00000000-0000-4000-8000-000000000002"


@dataclass(kw_only=True)
class Desk:
    """What a test does with the store."""

    store: engine.Store
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def receive(self, slug: str | None = "mercy", **facts: object) -> str:
        number = next(self.numbers)
        known = {
            "id": f"upload-{number}",
            "folder": slug or "stranger",
            "provider": slug,
            "lane": upload.Lane.LOW_VOLUME,
            "file_name": "staff.csv",
            "sha256": f"hash {number}",
            "size": 100,
            "received_at": NOW + dt.timedelta(seconds=number),
        }
        received = upload.ReceivedUpload(**{**known, **facts})
        with self.store.begin() as conn:
            uploads.register(conn, received)
        return received.id

    def judge(self, rows: Sequence[str]) -> sheet.Sheet:
        data = "\r\n".join([HEADER, *rows]).encode()
        read = reader.read_sheet(data, lane=upload.Lane.HIGH_VOLUME)
        return row_schema.validate_rows(read, today=NOW.date())

    def decide(
        self, upload_id: str, rows: Sequence[str], slug: str = "mercy"
    ) -> sheet.Sheet:
        judged = self.judge(rows)
        with self.store.begin() as conn:
            found, taken, similar = recipients.look_up(
                conn, duplicates.make_keys(judged.valid_values)
            )
        return duplicates.plan_rows(
            judged,
            found,
            provider=slug,
            upload=upload_id,
            taken=taken,
            similar=similar,
        )

    def load(self, upload_id: str, planned: sheet.Sheet) -> outcome.Outcome:
        with self.store.begin() as conn:
            locked = uploads.lock(conn, upload_id)
            return loading.load(
                conn, locked, planned, now=NOW, data_ops="ops@example.org"
            )

    def bring(self, rows: Sequence[str], slug: str = "mercy") -> outcome.Outcome:
        upload_id = self.receive(slug)
        return self.load(upload_id, self.decide(upload_id, rows, slug))

    def bring_id(self, rows: Sequence[str], slug: str = "mercy") -> str:
        """Load an upload, and return its id."""
        upload_id = self.receive(slug)
        self.load(upload_id, self.decide(upload_id, rows, slug))
        return upload_id

    def remove(
        self,
        name: str,
        *,
        case_number: int = 1001,
        now: dt.datetime = NOW + dt.timedelta(minutes=1),
    ) -> str:
        """Remove the person of this name; return the id."""
        with self.store.begin() as conn:
            found = search.search_recipients(conn, [name]).recipients
            recipient_id = str(found.loc[0, "recipient_id"])
            requests.ask(conn, case_number, recipient_id, asked_by=STAFF, now=NOW)
        with self.store.begin() as conn:
            removing.remove(conn, case_number, approved_by=OWNER, now=now)
        return recipient_id

    def everything(self) -> dict[str, str]:
        """Return what a removal or a withdrawal could change, as text by table."""
        return {
            name: self.table(f"SELECT * FROM cvms.{name} ORDER BY 1, 2").to_csv()  # noqa: S608 # names below
            for name in (
                "recipients", "recipient_changes", "messages", "rejected_rows",
                "providers", "removals",
            )
        }  # fmt: skip

    def latest(self) -> uploads.Upload:
        with self.store.begin() as conn:
            return uploads.list_recent(conn, limit=1)[0]

    def execute(self, statement: str, **values: object) -> None:
        with self.store.begin() as conn:
            conn.execute(sa.text(statement), values)

    def table(self, query: str) -> pd.DataFrame:
        with self.store.begin() as conn:
            rows = conn.execute(sa.text(query))
            return pd.DataFrame(rows.all(), columns=list(rows.keys()))

    def column(self, query: str) -> list[object]:
        return self.table(query).iloc[:, 0].tolist()


def clinic(slug: str) -> provider.Provider:
    return provider.Provider(
        slug=slug,
        name=slug.title(),
        vfc_pin="NCA123456",
        emails=(f"staff@{slug}.example.org",),
        created_at=NOW,
    )


def is_blocked(desk, running):
    """Return once some session waits for another's lock, or `running` has ended."""
    waiting = sa.text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")
    while not running.done():
        with desk.store.begin() as conn:
            if conn.scalar(waiting):
                return True
        time.sleep(0.01)
    return False
