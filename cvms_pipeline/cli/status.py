"""The command status: the health of the installation, for people and for monitoring.

`maintenance.inspection` measures, `maintenance.health` finds problems; this prints.
"""

import itertools
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import rich.text
import typer

from cvms_pipeline.cli import terminal

if TYPE_CHECKING:
    from cvms_pipeline.settings import loading

_CRITICAL = 2
_STYLES = {"ok": "green", "warning": "yellow", "critical": "bold red"}
_UNKNOWN = "unknown"
_REFUSED = {
    "notice": "to providers",
    "invitation": "to recipients",
    "alert": "to data-ops",
    "help_desk": "to the help desk",
    "case": "about cases",
    "account": "about accounts",
}
"""The words for refused messages, by what the report calls them."""


def status(
    no_processes: Annotated[
        bool,
        typer.Option(
            "--no-processes", help="Leave them out: something else runs them."
        ),
    ] = False,
    json: terminal.Json = False,
) -> None:
    """Show the state: processes, queue, what waits, what has failed, disks.

    It works while nothing is running, too.
    Exit code 0: all is well; 1: warning; 2: critical, or it is unknown.
    Each reason is named.

    Example: cvms status
    """
    from cvms_pipeline.local import health_probe
    from cvms_pipeline.maintenance import health, health_report
    from cvms_pipeline.settings import loading

    with terminal.exit_on_error(_CRITICAL):
        chosen = loading.load()
        probe = health_probe.open_probe(chosen, has_processes=not no_processes)
        snapshot = probe.take_snapshot()
        problems = health.find_problems(snapshot, health_probe.get_limits(chosen))
        report = health_report.build_report(snapshot, problems)
        if json:
            terminal.print_json(report)
        else:
            _print(report, is_stopped=snapshot.is_stopped)
    raise typer.Exit(int(health.get_worst_state(problems)))


def _print(report: Mapping[str, Any], *, is_stopped: bool) -> None:
    """Print the report; of what is stopped, only what is known."""
    out = terminal.out()
    out.print(_color(report["state"].upper(), report["state"]))  # first, for Nagios
    for problem in report["problems"]:
        state = problem["state"]
        out.print(_color(f"{state.upper()}: {problem['text']}", state))
    if report["processes"] is not None and not is_stopped:
        table = terminal.make_table("Process", "State", "Pid", "Up for")
        for process in report["processes"]:
            state = "ok" if process["state"] == "running" else "critical"
            table.add_row(
                process["name"],
                _color(process["state"], state),
                terminal.escape(process["pid"]),
                _format_span(process["uptime_seconds"]),
            )
        out.print(table)
    pairs = [*_describe_waiting(report), *_describe_queue(report["queue"] or {})]
    pairs += [
        (
            f"Disk of {disk['folder']}",
            f"{disk['free_bytes'] / 1e9:,.1f} GB free, {disk['free_percent']:.0f} %",
        )
        for disk in report["disks"]
    ]
    is_shown = [not is_stopped or value != _UNKNOWN for _, value in pairs]
    out.print(terminal.make_facts(list(itertools.compress(pairs, is_shown))))


def _color(text: str, state: str) -> rich.text.Text:
    return terminal.escape(text, _STYLES[state])


def _describe_waiting(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    incoming, uploads, messages = (
        report[name] or {} for name in ("incoming", "uploads", "messages")
    )
    failed, refused = uploads.get("failed"), messages.get("refused")
    return [
        ("Files not taken in yet", _describe_oldest(incoming, "files")),
        ("Files in no lane", _describe_oldest(incoming.get("misplaced", {}), "files")),
        ("Uploads not finished", _describe_oldest(uploads, "waiting")),
        *_describe_why(uploads, "oldest_failure"),
        ("Uploads failed", _UNKNOWN if failed is None else f"{failed:,}"),
        ("Messages not sent", _describe_oldest(messages, "unsent")),
        *_describe_why(messages, "why"),
        ("Messages refused", _describe_refused(refused)),
        ("Cases", _describe_cases(report["cases"])),
        ("Recipients", _describe_recipients(report["recipients"])),
    ]


def _describe_refused(refused: Mapping[str, int] | None) -> str:
    """Return how many were refused, by whom they are for; without most zeros."""
    if refused is None:
        return _UNKNOWN
    always, others = ("notice", "invitation", "alert"), ("help_desk", "case", "account")
    shown = [*always, *(kind for kind in others if refused[kind])]
    return ", ".join(f"{refused[kind]:,} {_REFUSED[kind]}" for kind in shown)


def _describe_cases(cases: Mapping[str, Any] | None) -> str:
    if cases is None:
        return _UNKNOWN
    return (
        f"{cases['open']:,} open, {cases['unassigned']:,} unassigned,"
        f" {cases['overdue']:,} overdue"
    )


def _describe_recipients(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return _UNKNOWN
    denied = f", {counts['denied']:,} wrong persons" if counts["denied"] else ""
    return (
        f"{counts['loaded']:,} loaded, {counts['invited']:,} invited,"
        f" {counts['passwords_set']:,} with a password,"
        f" {counts['registered']:,} registered{denied}"
    )


def _describe_why(part: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """Return why something waits, if it is known."""
    return [("  why", part[name])] if part.get(name) else []


def _describe_queue(queue: Mapping[str, Any]) -> list[tuple[str, str]]:
    queued, tasks = queue.get("queued"), queue.get("broker_messages")
    runs = _UNKNOWN
    if queued is not None:
        runs = f"{queued:,} queued, {queue['running']:,} at work"
    return [
        ("Runs", runs),
        ("Tasks at the broker", _UNKNOWN if tasks is None else f"{tasks:,}"),
    ]


def _describe_oldest(part: Mapping[str, Any], name: str) -> str:
    """Return how many there are, and for how long the oldest has waited."""
    if name not in part:
        return _UNKNOWN
    if not part[name]:
        return "0"
    return f"{part[name]:,}, the oldest for {_format_span(part['oldest_seconds'])}"


def _format_span(seconds: float | None) -> str:
    """Return a length of time in its two largest units; "" for None."""
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


def print_where_to_look(
    chosen: "loading.Settings",
    *,
    provider: str,
    file: str = "FILE",
    notice: str | None = None,
) -> None:
    """Print where outcomes are, and what to try, with the names that there are."""
    results = chosen.folders.path("incoming") / provider / "results"
    todays = f"{chosen.web.ui_url}/assets/todays_uploads"
    funnel = f"{chosen.web.ui_url}/assets/recipient_funnel"
    places = [
        ("Today's uploads, with rows, reasons and reports", todays),
        ("How far people are, with plots by day and provider", funnel),
        ("Every message", describe_mail(chosen)),
        *([("One notice", notice)] if notice else []),
        ("What a provider gets", terminal.shorten_path(results)),
        *_list_activation(),
        ("Drop a file yourself", f"cvms drop {file} --provider {provider}"),
        ("See what a file would do", f"cvms check {file}"),
        (
            "List all uploads; search the people who were loaded",
            "cvms uploads; cvms recipients -",
        ),
        ("Show the state of the installation", "cvms status"),
    ]
    out = terminal.out()
    out.print(rich.text.Text("\nWhere to look", style="bold"))
    for what, where in places:
        line = rich.text.Text.assemble(f"  {what}\n    ", (where, "bold"))
        out.print(line, soft_wrap=True)


def _list_activation() -> list[tuple[str, str]]:
    """Return how a new terminal finds the command `cvms`, unless it does already."""
    activate = Path(sys.executable).with_name("activate")
    if shutil.which("cvms") or not activate.exists():
        return []
    return [
        ("First, in another terminal", f"source {terminal.shorten_path(activate)}"),
    ]


def describe_mail(chosen: "loading.Settings") -> str:
    """Return the destination of messages, without a password."""
    if chosen.mail.smtp_url is None:
        folder = terminal.shorten_path(chosen.folders.path("mail"))
        return f"{folder} (a Maildir; invitations in {folder}/invitations)"
    return "the mail server in CVMS_SMTP_URL"
