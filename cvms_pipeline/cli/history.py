"""`cvms uploads`, `upload` and `report`: what has become of the files.

They change nothing, but the audit tells who has read an upload's rejected rows.  The
JSON is that of DESIGN 9.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import rich.console

from cvms_pipeline import errors
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, local_files, rejects, terminal
from cvms_pipeline.domain import events
from cvms_pipeline.domain import report as reports
from cvms_pipeline.store import audit, rejected
from cvms_pipeline.store import uploads as stored

_COUNTS = ("Rows", "Loaded", "Updated", "Rejected")


class NothingRejected(errors.PermanentError):
    """The upload has no error report, because no row of it was rejected."""


def uploads(
    settings: settings_.Settings, *, provider: str | None, limit: int, as_json: bool
) -> None:
    """Print the latest uploads."""
    with access.opened(settings) as store, store.begin() as conn:
        found = stored.recent(conn, provider=provider, limit=limit)
    if as_json:
        terminal.print_json([summary_as_json(each) for each in found])
    elif found:
        terminal.out().print(_table(found))
    elif provider is not None:
        terminal.out().print("No uploads of that provider.")
    else:
        terminal.out().print("No uploads yet. Drop a file: cvms drop --help")


def upload(settings: settings_.Settings, upload_id: str, *, as_json: bool) -> None:
    """Print one upload with its rejected rows."""
    with access.opened(settings) as store, store.begin() as conn:
        found = _get(conn, upload_id)
        rows = rejected_rows(conn, found)
    if as_json:
        terminal.print_json(upload_as_json(found, rows))
    else:
        show(terminal.out(), found, rows)


def report(
    settings: settings_.Settings, upload_id: str, path: Path, *, force: bool
) -> None:
    """Write an upload's error report, made again from its rejected rows."""
    with access.opened(settings) as store, store.begin() as conn:
        found = _get(conn, upload_id)
        rows = _read(conn, found)
    if rows.empty:
        state = f"its status is {found.status.replace('_', ' ')}"
        if found.purged_at is not None:
            state = f"its rejected rows were purged on {found.purged_at:%Y-%m-%d}"
        raise NothingRejected(f"The upload {found.id} has no error report: {state}.")
    data = reports.bulk_error(rows, rows["message"])
    written = local_files.write(path, data, force=force)
    if written:
        terminal.out().print(terminal.plain(f"The error report is in {written}"))


def rejected_rows(conn: Any, found: stored.Upload) -> rejects.Rejected:
    """Return the rejected rows of an upload, and let the audit tell who read them."""
    rows = _read(conn, found)
    return rejects.Rejected(
        lines=rows.index.tolist(),
        codes=rows["codes"].str.split(",").tolist(),
        messages=rows["message"].tolist(),
    )


def summary_as_json(found: stored.Upload) -> dict[str, Any]:
    """Return an upload as JSON, without its rejected rows."""
    return {
        "id": found.id,
        "provider": found.provider,
        "lane": found.lane.value,
        "file_name": found.file_name,
        "status": found.status.value,
        "refusal": rejects.refusal_as_json(found.refusal),
        "rows": found.rows,
        "loaded": found.loaded,
        "updated": found.updated,
        "rejected": found.rejected,
        "reasons": dict(found.reasons),
        "received_at": terminal.iso(found.received_at),
        "finished_at": terminal.iso(found.finished_at),
    }


def upload_as_json(found: stored.Upload, rows: rejects.Rejected) -> dict[str, Any]:
    """Return what DESIGN 9 says `upload --json` prints."""
    return {**summary_as_json(found), "rejections": rejects.as_json(rows)}


def show(
    out: rich.console.Console, found: stored.Upload, rows: rejects.Rejected
) -> None:
    """Print one upload for a person."""
    out.print(terminal.facts(_facts(found)))
    if found.refusal:
        out.print(terminal.plain(f"Refused: {found.refusal.message}", "red"))
    if rows.lines:
        rejects.show(out, rows, found.reasons)
        again = f"As a file to correct: cvms report {found.id} BulkError.csv"
        out.print(terminal.plain(again, "dim"))


def _facts(found: stored.Upload) -> list[tuple[str, Any]]:
    waited = found.finished_at and (found.finished_at - found.received_at)
    return [
        ("Upload", found.id),
        ("Provider", found.provider or f"{found.folder} (unknown or disabled)"),
        ("Lane", found.lane),
        ("File", found.file_name),
        ("Status", terminal.status(found.status)),
        ("Rows in file", f"{found.rows:,}"),
        ("Loaded", f"{found.loaded:,}"),
        ("of which updated", f"{found.updated:,}"),
        ("Rejected", f"{found.rejected:,}"),
        *_purged(found),
        ("Received", terminal.moment(found.received_at)),
        ("Finished", terminal.moment(found.finished_at)),
        *([("Seconds", f"{waited.total_seconds():.1f}")] if waited else []),
    ]


def _purged(found: stored.Upload) -> list[tuple[str, Any]]:
    """Return the reasons' counts, where they are all that is left of the rows."""
    if found.purged_at is None:
        return []
    reasons = (f"{code} {count:,}" for code, count in found.reasons.items())
    return [
        ("Reasons", ", ".join(reasons)),
        ("Rows purged", terminal.moment(found.purged_at)),
    ]


def _table(found: Sequence[stored.Upload]) -> Any:
    table = terminal.table("Upload", "Status", *_COUNTS)
    for each in found:
        provider = each.provider or f"{each.folder} (unknown)"
        what = f"{provider} · {each.lane.removesuffix('_volume')} · {each.file_name}"
        table.add_row(
            terminal.two_lines(each.id, what),
            terminal.status(each.status),
            terminal.count(each.rows),
            terminal.count(each.loaded),
            terminal.count(each.updated),
            terminal.count(each.rejected),
        )
    return table


def _read(conn: Any, found: stored.Upload) -> pd.DataFrame:
    """Return the rejected rows; before anybody sees them, the audit has it."""
    rows = rejected.of_upload(conn, found.id)
    if len(rows):
        note = audit.Note(
            event=events.Event.REPORT_READ,
            upload_id=found.id,
            provider=found.provider,
            details={"rows": len(rows)},
        )
        audit.write(conn, [note])
    return rows


def _get(conn: Any, upload_id: str) -> stored.Upload:
    found = stored.get(conn, upload_id)
    if found is None:
        raise stored.unknown(upload_id)
    return found
