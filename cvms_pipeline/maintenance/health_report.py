"""The health of an installation as one document: the snapshot and its problems.

`cvms status --json` prints it; what is a problem is decided in `health`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cvms_pipeline.maintenance import health
from cvms_pipeline.store import listing
from cvms_pipeline.store.help_desk import queue

STEPS = ("loaded", "invited", "passwords_set", "registered")
"""How far recipients are, in this order, by what the report calls it."""


def build_report(
    snapshot: health.HealthSnapshot, problems: Sequence[health.Problem]
) -> Mapping[str, Any]:
    """Return the whole as `cvms status --json` prints it; ages are in seconds."""
    processes, runs = snapshot.processes, snapshot.queue
    return {
        "state": health.get_worst_state(problems).name.lower(),
        "problems": [{"state": p.state.name.lower(), "text": p.text} for p in problems],
        "processes": None if processes is None else [asdict(p) for p in processes],
        "queue": None if runs is None else asdict(runs),
        **_report_backlog(snapshot, snapshot.backlog),
        "cases": _report_cases(snapshot.cases),
        "recipients": _report_recipients(snapshot.recipients, snapshot.backlog),
        "incoming": _report_incoming(snapshot, snapshot.incoming),
        "disks": [
            {**asdict(disk), "free_percent": round(disk.free_percent, 1)}
            for disk in snapshot.disks
        ],
    }


def _report_backlog(
    snapshot: health.HealthSnapshot, backlog: listing.Backlog | None
) -> Mapping[str, Any]:
    if backlog is None:
        return {"uploads": None, "messages": None}
    return {
        "uploads": {
            "waiting": backlog.uploads_waiting,
            "oldest": backlog.oldest_upload,
            "oldest_seconds": _get_age_seconds(snapshot, backlog.oldest_upload_at),
            "failed": backlog.uploads_failed,
            "oldest_failure": backlog.oldest_upload_failure,
            "last_failed": backlog.failed_upload,
            "last_failure": backlog.failed_upload_failure,
        },
        "messages": {
            "unsent": backlog.messages_unsent,
            "oldest_seconds": _get_age_seconds(snapshot, backlog.oldest_message_at),
            "last_error": backlog.message_error,
            "why": health.explain_message_error(snapshot),
            "refused": {
                "notice": backlog.notices_refused,
                "invitation": backlog.invitations_refused,
                "alert": backlog.alerts_refused,
                "help_desk": backlog.help_desk_refused,
                "case": backlog.cases_refused,
                "account": backlog.accounts_refused,
            },
        },
    }


def _report_cases(counts: queue.Counts | None) -> Mapping[str, Any] | None:
    if counts is None:
        return None
    return {
        "open": counts.open,
        "unassigned": counts.unassigned,
        "overdue": counts.overdue,
        "states": {state.value: number for state, number in counts.states.items()},
    }


def _report_recipients(
    counts: Mapping[str, int] | None, backlog: listing.Backlog | None
) -> Mapping[str, Any] | None:
    if counts is None or backlog is None:
        return None
    invited = max(0, counts["loaded"] - backlog.never_invited)
    known = {**counts, "invited": invited}
    return {name: known[name] for name in (*STEPS, "denied")}


def _report_incoming(
    snapshot: health.HealthSnapshot, counts: health.IncomingCounts | None
) -> Mapping[str, Any] | None:
    if counts is None:
        return None
    return {
        "files": counts.files,
        "oldest_seconds": _get_age_seconds(snapshot, counts.oldest_at),
        "misplaced": {
            "files": counts.misplaced,
            "oldest_seconds": _get_age_seconds(snapshot, counts.oldest_misplaced_at),
        },
    }


def _get_age_seconds(snapshot: health.HealthSnapshot, since: dt.datetime | None) -> int:
    return round(snapshot.get_age(since).total_seconds())
