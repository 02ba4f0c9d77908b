"""The way of an upload through the store, in a few words for tests."""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from cvms_pipeline.domain import (
    duplicates,
    outcome,
    provider,
    reading,
    schema,
    sheet,
    upload,
)
from cvms_pipeline.store import engine, recipients, uploads

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HEADER = "First name,Last name,Date of birth,Email"


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
        received = upload.Received(**{**known, **facts})
        with self.store.begin() as conn:
            uploads.register(conn, received)
        return received.id

    def judge(self, rows: Sequence[str]) -> sheet.Sheet:
        data = "\r\n".join([HEADER, *rows]).encode()
        read = reading.read(data, lane=upload.Lane.HIGH_VOLUME)
        return schema.judge(read, today=NOW.date())

    def decide(
        self, upload_id: str, rows: Sequence[str], slug: str = "mercy"
    ) -> sheet.Sheet:
        judged = self.judge(rows)
        with self.store.begin() as conn:
            found, taken = recipients.look_up(conn, duplicates.keys(judged.valid))
        return duplicates.decide(
            judged, found, provider=slug, upload=upload_id, taken=taken
        )

    def load(self, upload_id: str, planned: sheet.Sheet) -> outcome.Outcome:
        with self.store.begin() as conn:
            return recipients.load(
                conn, upload_id, planned, now=NOW, data_ops="ops@example.org"
            )

    def bring(self, rows: Sequence[str], slug: str = "mercy") -> outcome.Outcome:
        upload_id = self.receive(slug)
        return self.load(upload_id, self.decide(upload_id, rows, slug))

    def latest(self) -> uploads.Upload:
        with self.store.begin() as conn:
            return uploads.recent(conn, limit=1)[0]

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
