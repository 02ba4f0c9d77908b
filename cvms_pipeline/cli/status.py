"""`cvms status`: how the installation is, for a person and for monitoring.

What is asked is `local.watching`, what is bad `ingest.health`; here it is shown.
"""

from collections.abc import Sequence
from typing import Any

from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import terminal
from cvms_pipeline.ingest import health
from cvms_pipeline.local import watching
from cvms_pipeline.store import health as stored

_STYLES = {
    health.State.OK: "green",
    health.State.WARNING: "yellow",
    health.State.CRITICAL: "bold red",
}
_UNKNOWN = "unknown"


def status(settings: settings_.Settings, *, own: bool, as_json: bool) -> int:
    """Print how things are; return the exit code: 0, 1 or 2."""
    seen = watching.Watcher(settings, own=own).look()
    found = health.problems(seen, watching.limits(settings))
    if as_json:
        terminal.print_json(_as_json(seen, found))
    else:
        _show(seen, found)
    return int(health.worst(found))


def _as_json(seen: health.Seen, found: Sequence[health.Problem]) -> dict[str, Any]:
    return {
        "state": health.worst(found).name.lower(),
        "problems": [{"state": p.state.name.lower(), "text": p.text} for p in found],
        "processes": None if seen.processes is None else _processes(seen.processes),
        "queue": _queue(seen),
        "uploads": _uploads(seen),
        "messages": _messages(seen),
        "incoming": _incoming(seen),
        "disks": [
            {
                "folder": each.name,
                "free_bytes": each.free_bytes,
                "size_bytes": each.size_bytes,
                "free_percent": round(each.free_percent, 1),
            }
            for each in seen.spaces
        ],
    }


def _processes(processes: Sequence[health.Process]) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "state": each.state,
            "pid": each.pid,
            "uptime_seconds": each.uptime_seconds,
        }
        for each in processes
    ]


def _queue(seen: health.Seen) -> dict[str, Any] | None:
    if seen.queue is None:
        return None
    return {
        "queued": seen.queue.queued,
        "running": seen.queue.running,
        "broker_messages": seen.queue.broker_messages,
        "is_retention_failed": seen.queue.is_retention_failed,
    }


def _uploads(seen: health.Seen) -> dict[str, Any] | None:
    if seen.backlog is None:
        return None
    return {
        "waiting": seen.backlog.uploads_waiting,
        "oldest": seen.backlog.oldest_upload,
        "oldest_seconds": round(seen.age(seen.backlog.oldest_upload_at)),
        "failed": seen.backlog.uploads_failed,
    }


def _messages(seen: health.Seen) -> dict[str, Any] | None:
    if seen.backlog is None:
        return None
    return {
        "unsent": seen.backlog.messages_unsent,
        "oldest_seconds": round(seen.age(seen.backlog.oldest_message_at)),
        "refused": {
            "notice": seen.backlog.notices_refused,
            "invitation": seen.backlog.invitations_refused,
            "alert": seen.backlog.alerts_refused,
        },
    }


def _incoming(seen: health.Seen) -> dict[str, Any] | None:
    if seen.unclaimed is None:
        return None
    return {
        "files": seen.unclaimed.files,
        "oldest_seconds": round(seen.age(seen.unclaimed.oldest_at)),
        "misplaced": {
            "files": seen.unclaimed.misplaced,
            "oldest_seconds": round(seen.age(seen.unclaimed.oldest_misplaced_at)),
        },
    }


def _show(seen: health.Seen, found: Sequence[health.Problem]) -> None:
    out = terminal.out()
    state = health.worst(found)
    out.print(terminal.plain(state.name, _STYLES[state]))  # first, for Nagios
    for each in found:
        out.print(
            terminal.plain(f"{each.state.name}: {each.text}", _STYLES[each.state])
        )
    if seen.processes is not None:
        table = terminal.table("Process", "State", "Pid", "Up for")
        for process in seen.processes:
            style = _STYLES[health.State.OK if process.is_up else health.State.CRITICAL]
            state_ = terminal.plain(process.state, style)
            uptime = _span(process.uptime_seconds)
            table.add_row(process.name, state_, terminal.plain(process.pid), uptime)
        out.print(table)
    out.print(terminal.facts(_pairs(seen)))


def _pairs(seen: health.Seen) -> list[tuple[str, str]]:
    uploads = failed = messages = refused = runs = broker = _UNKNOWN
    if seen.backlog is not None:
        uploads = _since(
            seen.backlog.uploads_waiting, seen.age(seen.backlog.oldest_upload_at)
        )
        failed = f"{seen.backlog.uploads_failed:,}"
        messages = _since(
            seen.backlog.messages_unsent, seen.age(seen.backlog.oldest_message_at)
        )
        refused = _refused(seen.backlog)
    if seen.queue is not None and seen.queue.queued is not None:
        runs = f"{seen.queue.queued:,} queued, {seen.queue.running:,} at work"
    if seen.queue is not None and seen.queue.broker_messages is not None:
        broker = f"{seen.queue.broker_messages:,}"
    return [
        *_pairs_of_files(seen),
        ("Uploads not finished", uploads),
        ("Uploads failed", failed),
        ("Messages not sent", messages),
        ("Messages refused", refused),
        ("Runs", runs),
        ("Tasks at the broker", broker),
        *(
            (
                f"Disk of {each.name}",
                f"{each.free_bytes / 1e9:,.1f} GB free, {each.free_percent:.0f} %",
            )
            for each in seen.spaces
        ),
    ]


def _pairs_of_files(seen: health.Seen) -> list[tuple[str, str]]:
    waiting = misplaced = _UNKNOWN
    files = seen.unclaimed
    if files is not None:
        waiting = _since(files.files, seen.age(files.oldest_at))
        misplaced = _since(files.misplaced, seen.age(files.oldest_misplaced_at))
    return [("Files not taken in yet", waiting), ("Files in no lane", misplaced)]


def _refused(backlog: stored.Backlog) -> str:
    return (
        f"{backlog.notices_refused:,} to providers,"
        f" {backlog.invitations_refused:,} to recipients,"
        f" {backlog.alerts_refused:,} to data-ops"
    )


def _since(number: int, seconds: float) -> str:
    return f"{number:,}, the oldest for {_span(seconds)}" if number else "0"


def _span(seconds: float | None) -> str:
    """Return a length of time as people say it; nothing for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
