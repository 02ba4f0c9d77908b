"""Files that nobody writes by hand: seconds and memory of each in a worker.

Each shape of `hostile_shapes` is as large as a file may be, and goes through a fresh
process that has imported what a worker imports: read, judge, match, hand on, load and
report, on a real Postgres.

    python -m benchmarks.hostile --one NAME --url URL

is that process.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import (
    database,
    filling,
    hostile_shapes,
    measuring,
    memory,
    sample_rows,
    showing,
    uploading,
)
from cvms_pipeline.database import engine
from cvms_pipeline.domain.matching import duplicates
from cvms_pipeline.domain.reading import reader
from cvms_pipeline.domain.reporting import error_report, outcome
from cvms_pipeline.domain.sheets import packing, sheet
from cvms_pipeline.domain.validation import row_schema
from cvms_pipeline.domain.vocabulary import upload
from cvms_pipeline.files import archive
from cvms_pipeline.store import loading, recipients, rejected_rows, uploads

GOAL_SECONDS, GOAL_PEAK_MB = 2.0, 400
ROWS_BEFORE = 100

Taken = Mapping[str, float | str]
"""`seconds`, `cpu_seconds`, `peak_mb`, and what `became` of the file."""


def take(name: str, url: str) -> Taken:
    """Return what the file of that name costs a worker that has had a usual one."""
    store = engine.Store(url)
    number = list(hostile_shapes.SHAPES).index(name)
    upload_id = f"hostile-{number}"
    for each in (upload_id, f"usual-{number}"):
        uploading.register(store, each)
    usual = sample_rows.upload(ROWS_BEFORE, rejected_percent=10, seed=number)
    _through_every_step(store, f"usual-{number}", usual)
    data = hostile_shapes.made(name)
    started, cpu_started = time.perf_counter(), time.process_time()
    ended = _through_every_step(store, upload_id, data)
    taken: Taken = {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu_started, 2),
        "peak_mb": round(memory.peak_of_this_process()),
        "became": ended.refusal.code if ended.refusal else f"{ended.rejected} rejected",
    }
    store.close()
    return taken


def _through_every_step(
    store: engine.Store, upload_id: str, data: bytes
) -> outcome.Outcome:
    """Take the file through the steps, with no more of each than the next one gets."""
    decided = _handed_on(_decided(store, upload_id, data))
    with store.begin() as conn:
        ended = loading.load(
            conn,
            uploads.lock(conn, upload_id),
            decided,
            now=uploading.NOW,
            data_ops=uploading.DATA_OPS,
        )
    del decided
    with store.begin() as conn:
        rows = rejected_rows.read(conn, upload_id)
    if len(rows):
        error_report.render_report(rows, rows["message"], rows["extra_cells"])
    return ended


def _decided(store: engine.Store, upload_id: str, data: bytes) -> sheet.Sheet:
    read = reader.read_sheet(data, lane=upload.Lane.HIGH_VOLUME)
    judged = row_schema.validate_rows(read, today=uploading.NOW.date())
    keys = duplicates.make_keys(judged.valid_values)
    with store.begin() as conn:
        matches, taken, similar = recipients.look_up(conn, keys)
    return duplicates.plan_rows(
        judged,
        matches,
        provider=uploading.PROVIDER,
        upload=upload_id,
        keys=keys,
        taken=taken,
        similar=similar,
    )


def _handed_on(decided: sheet.Sheet) -> sheet.Sheet:
    """Return the sheet as the next step gets it, by way of a work folder."""
    upload_id = upload.make_id(uploading.NOW)
    with tempfile.TemporaryDirectory(prefix="cvms-bench-") as folder:
        between = archive.Work(Path(folder))
        between.write(upload_id, "decided", packing.pack_sheet(decided))
        del decided
        with between.opened(upload_id, "decided") as file:
            return packing.unpack_sheet(file)


def measure(names: Sequence[str]) -> dict[str, Taken]:
    """Return what each of the shapes costs a new worker."""
    found = {}
    with database.throw_away() as url:
        store = engine.Store(url)
        with store.begin() as conn:
            filling.register_provider(conn)
        store.close()
        for name in names:
            showing.progress(f"{name} …")
            command = [sys.executable, "-m", "benchmarks.hostile"]
            ended = subprocess.run(
                [*command, "--one", name, "--url", url],
                stdout=subprocess.PIPE,
                check=True,
            )
            found[name] = json.loads(ended.stdout)
    return found


def summary(found: Mapping[str, Taken]) -> dict[str, object]:
    """Return the object that `--json` prints: the worst, then each."""
    return {
        key: max(float(taken[key]) for taken in found.values())
        for key in ("seconds", "cpu_seconds", "peak_mb")
    } | {"shapes": dict(found), "machine": measuring.machine()}


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    more = (("--one", "be the process that takes this file"), ("--url", "its database"))
    chosen = showing.options(__doc__, given, *more)
    if chosen.one:
        memory.import_what_a_worker_imports()
        print(json.dumps(take(chosen.one, chosen.url)))
        return
    names = hostile_shapes.WORST if chosen.quick else tuple(hostile_shapes.SHAPES)
    found = measure(names)
    summarised = summary(found)
    showing.result(summarised, as_json=chosen.json, table=_table(found))


def _table(found: Mapping[str, Taken]) -> object:
    header = ["file of 10 MB", "s", "CPU s", "peak MB", "became"]
    rows = [
        [
            name,
            *(str(taken[k]) for k in ("seconds", "cpu_seconds", "peak_mb", "became")),
        ]
        for name, taken in found.items()
    ]
    caption = (
        f"Goals: {GOAL_SECONDS:.0f} s, {GOAL_PEAK_MB} MB."
        f" {showing.on(measuring.machine())}"
    )
    return showing.table("Hostile files", header, rows, caption)


if __name__ == "__main__":
    main()
