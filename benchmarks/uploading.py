"""One upload through the core: from bytes to committed rows and an error report.

The product's own steps in the product's order, each with its time; without Dagster,
folders and mail, which `orchestration` measures.  In a cold process, it is `cold`.
"""

import datetime as dt
import itertools
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.store import loading, recipients, rejected_rows, uploads

PROVIDER = "bench"
STEPS = ("read", "judge", "match", "load", "report")
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DATA_OPS = "ops@example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What one upload came to, and the seconds that each of `STEPS` took."""

    outcome: outcome.Outcome
    report: bytes | None
    steps: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Return how long all steps took."""
        return sum(self.steps.values())


def register(store: engine.Store, upload_id: str) -> None:
    """Register an upload, as the sensor has done before a run begins."""
    received = upload.ReceivedUpload(
        id=upload_id,
        folder=PROVIDER,
        provider=PROVIDER,
        lane=upload.Lane.HIGH_VOLUME,
        file_name="bench.csv",
        sha256=upload.compute_sha256(upload_id.encode()),
        size=1,
        received_at=NOW,
    )
    with store.begin() as conn:
        uploads.register(conn, received)


def run(store: engine.Store, upload_id: str, data: bytes) -> Uploaded:
    """Take `data` through every step for the registered upload `upload_id`."""
    clock = [time.perf_counter()]
    read = reader.read_sheet(data, lane=upload.Lane.HIGH_VOLUME)
    clock.append(time.perf_counter())
    judged = row_schema.validate_rows(read, today=NOW.date())
    clock.append(time.perf_counter())
    keys = duplicates.make_keys(judged.valid_values)
    with store.begin() as conn:
        matches, taken, similar = recipients.look_up(conn, keys)
    planned = duplicates.plan_rows(
        judged,
        matches,
        provider=PROVIDER,
        upload=upload_id,
        keys=keys,
        taken=taken,
        similar=similar,
    )
    clock.append(time.perf_counter())
    with store.begin() as conn:
        locked = uploads.lock(conn, upload_id)
        ended = loading.load(conn, locked, planned, now=NOW, data_ops=DATA_OPS)
    clock.append(time.perf_counter())
    with store.begin() as conn:
        rows = rejected_rows.read(conn, upload_id)
    facts = rows, rows["message"], rows["extra_cells"]
    report = error_report.render_report(*facts) if len(rows) else None
    clock.append(time.perf_counter())
    spent = [after - before for before, after in itertools.pairwise(clock)]
    steps = dict(zip(STEPS, spent, strict=True))
    return Uploaded(outcome=ended, report=report, steps=steps)


def main() -> None:
    """Upload the file that the command line names, to `PEER_DATABASE_URL`."""
    store = engine.Store(os.environ["PEER_DATABASE_URL"])
    upload_id = upload.make_id(dt.datetime.now(dt.UTC))
    register(store, upload_id)
    print(run(store, upload_id, Path(sys.argv[1]).read_bytes()).outcome.loaded)
    store.close()
