"""`cvms audit`: who did what, and when.

Read only.  What is written down, and how, is `store.audit`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rich.table

from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.store import audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries to show; a moment without a zone is one of the terminal's."""

    upload_id: str | None
    provider: str | None
    since: dt.datetime | None
    limit: int


def show(settings: settings_.Settings, wanted: Wanted, *, as_json: bool) -> None:
    """Print the entries that are asked for."""
    with access.opened(settings) as store, store.begin() as conn:
        found = audit.entries(
            conn,
            upload_id=wanted.upload_id,
            provider=wanted.provider,
            since=wanted.since and wanted.since.astimezone(),
            limit=wanted.limit,
        )
    if as_json:
        terminal.print_json([_as_json(each) for each in found])
    elif found:
        terminal.out().print(_table(found))
    else:
        terminal.out().print("No such entries.")


def _as_json(entry: audit.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "happened_at": terminal.iso(entry.happened_at),
        "actor": entry.actor,
        "database_role": entry.database_role,
        "event": entry.event.value,
        "upload": entry.upload_id,
        "provider": entry.provider,
        "run": entry.run_id,
        "details": dict(entry.details),
    }


def _table(found: Sequence[audit.Entry]) -> rich.table.Table:
    table = terminal.table("When", "Who", "What", "Upload, provider")
    for entry in found:
        details = ", ".join(f"{name} {value}" for name, value in entry.details.items())
        table.add_row(
            terminal.moment(entry.happened_at),
            terminal.plain(entry.actor),
            terminal.two_lines(entry.event.value, details),
            terminal.two_lines(entry.upload_id, entry.provider),
        )
    return table
