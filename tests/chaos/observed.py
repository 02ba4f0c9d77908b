"""The result in an installation, read without its code: tables, files, mail."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import installation, mail

Rows = list[dict[str, Any]]

ASSETS = (
    "upload",
    "recipients",
    "error_report",
    "provider_notice",
    "recipient_invitations",
)

_UNFINISHED = """
SELECT
    (SELECT count(*) FROM cvms.uploads
        WHERE status NOT IN ('completed', 'completed_with_errors', 'refused'))
    + (SELECT count(*) FROM cvms.messages WHERE status = 'waiting')
    + (SELECT count(*) FROM dagster.runs
        WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')) AS count
"""
_OPEN_RUNS = """
SELECT count(*) AS count FROM dagster.runs
WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
"""
_MADE = """
SELECT DISTINCT asset_key, partition FROM dagster.event_logs
WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND partition IS NOT NULL
"""
_RUNS = """
SELECT DISTINCT ON (r.pipeline_name, t.value)
    r.pipeline_name AS job, r.status, t.value AS upload_id
FROM dagster.runs AS r JOIN dagster.run_tags AS t USING (run_id)
WHERE t.key = 'dagster/partition' ORDER BY r.pipeline_name, t.value, r.id DESC
"""


@dataclass(kw_only=True)
class Observed:
    """Everything that there is to be judged; the tables as they are."""

    uploads: Rows
    recipients: Rows
    changes: Rows
    rejected: Rows
    messages: Rows
    registrations: Rows
    partitions: set[str]
    made: set[tuple[str, str]]
    last_runs: Rows
    open_runs: int
    reports: dict[str, bytes]
    results: dict[str, dict[str, bytes]]
    archive: dict[str, bytes]
    letters: list[mail.Letter]
    left: list[str]


def unfinished(running: installation.Installation) -> int:
    """Return how much is still to be done, as far as the tables tell."""
    return int(running.rows(_UNFINISHED)[0]["count"]) + len(left(running))


def left(running: installation.Installation) -> list[str]:
    """Return what lies in lanes and in open claims."""
    lanes = running.incoming.glob("*/*_volume/*")
    claims = running.incoming.glob(".claims/*/original")
    return [str(path.relative_to(running.incoming)) for path in (*lanes, *claims)]


def look(running: installation.Installation) -> Observed:
    """Read everything."""
    table = "SELECT * FROM cvms.{} ORDER BY {}"
    partitions = running.rows("SELECT partition FROM dagster.dynamic_partitions")
    return Observed(
        uploads=running.rows(table.format("uploads", "id")),
        recipients=running.rows(table.format("recipients", "id")),
        changes=running.rows(table.format("recipient_changes", "changed_at, id")),
        rejected=running.rows(table.format("rejected_rows", "upload_id, line")),
        messages=running.rows(table.format("messages", "id")),
        registrations=running.rows(table.format("registrations", "recipient_id")),
        partitions={each["partition"] for each in partitions},
        made=_made(running),
        last_runs=running.rows(_RUNS),
        open_runs=int(running.rows(_OPEN_RUNS)[0]["count"]),
        reports=_reports(running.data / "reports"),
        results=_results(running.incoming),
        archive=_archive(running.data / "archive"),
        letters=list(running.server.letters),
        left=left(running),
    )


def _made(running: installation.Installation) -> set[tuple[str, str]]:
    """Return which asset has been materialized for which upload."""
    return {
        ("/".join(json.loads(each["asset_key"])), each["partition"])
        for each in running.rows(_MADE)
    }


def _archive(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.glob("*/*") if path.name[0] != "."]
    return {path.name: path.read_bytes() for path in found}


def _reports(folder: Path) -> dict[str, bytes]:
    return {p.parent.name: p.read_bytes() for p in folder.rglob("BulkError.csv")}


def _results(incoming: Path) -> dict[str, dict[str, bytes]]:
    """Return what was published, by provider's folder and its own folder in it."""
    found: dict[str, dict[str, bytes]] = {}
    for path in incoming.glob("*/results/*/*"):
        found.setdefault(path.parent.name, {})[path.name] = path.read_bytes()
    return found
