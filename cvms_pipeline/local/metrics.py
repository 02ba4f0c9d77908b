"""`python -m cvms_pipeline.local.metrics`: the numbers of health, for Prometheus.

With `--no-processes` those of the processes are left out: something else runs them.
Each request takes a new snapshot.  No label names a provider, a file or a person.
"""

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from wsgiref import simple_server, types

import prometheus_client
from prometheus_client import core, multiprocess, registry

from cvms_pipeline.local import health_probe
from cvms_pipeline.maintenance import health, health_report
from cvms_pipeline.settings import loading

_HEALTH_PATH = "/-/healthy"
_NO_PROCESSES = "--no-processes"

_AGE = "Of the oldest of them."
_GAUGES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "uploads": {
        "waiting": ("uploads_waiting", "Uploads not finished."),
        "oldest_seconds": ("oldest_waiting_upload_age_seconds", _AGE),
        "failed": ("uploads_failed", "Uploads whose last run has failed."),
    },
    "messages": {
        "unsent": ("messages_unsent", "Messages to be sent."),
        "oldest_seconds": ("oldest_unsent_message_age_seconds", _AGE),
    },
    "queue": {
        "queued": ("runs_queued", "Runs that no worker has."),
        "running": ("runs_running", "Runs started and not ended."),
        "broker_messages": ("broker_messages", "Tasks at the broker."),
        "is_retention_failed": ("retention_failed", "Whether its last run has."),
        "stopped": ("automations_stopped", "Sensors and schedules stopped."),
    },
    "cases": {
        "unassigned": ("cases_unassigned", "Open cases assigned to nobody."),
        "overdue": ("cases_overdue", "Cases not answered in time."),
    },
    "recipients": {
        "denied": ("addresses_denied", "Addresses that are somebody else's."),
    },
    "incoming": {
        "files": ("incoming_files", "Files that are no uploads yet."),
        "oldest_seconds": ("oldest_incoming_file_age_seconds", _AGE),
    },
    "misplaced": {
        "files": ("misplaced_files", "Files in the incoming folder in no lane."),
        "oldest_seconds": ("oldest_misplaced_file_age_seconds", _AGE),
    },
}
"""Name and help text of the metric for each number in the report of health."""


class _HealthCollector(registry.Collector):
    """Takes a snapshot of health for each request, and yields its numbers."""

    def __init__(self, settings: loading.Settings, *, has_processes: bool) -> None:
        """Connect to nothing yet."""
        self._probe = health_probe.open_probe(settings, has_processes=has_processes)
        self._limits = health_probe.get_limits(settings)

    def collect(self) -> Iterator[core.Metric]:
        """Yield each number that is known."""
        snapshot = self._probe.take_snapshot()
        problems = health.find_problems(snapshot, self._limits)
        report = health_report.build_report(snapshot, problems)
        state = health.get_worst_state(problems)
        yield _gauge("health", "0: all is well, 1: warning, 2: critical.", state)
        is_up = snapshot.backlog is not None
        yield _gauge("database_up", "Whether the database answers.", is_up)
        yield from _collect_numbers(report)
        yield from _collect_labelled(snapshot, report)


def _gauge(name: str, text: str, value: float) -> core.Metric:
    return core.GaugeMetricFamily(f"cvms_{name}", text, value=value)


def _collect_numbers(report: Mapping[str, Any]) -> Iterator[core.Metric]:
    misplaced = (report["incoming"] or {}).get("misplaced")
    for part, gauges in _GAUGES.items():
        numbers = misplaced if part == "misplaced" else report[part]
        for key, (name, text) in gauges.items():
            if numbers is not None and numbers[key] is not None:
                number = numbers[key]
                is_list = isinstance(number, Sequence)
                yield _gauge(name, text, len(number) if is_list else number)


def _collect_labelled(
    snapshot: health.HealthSnapshot, report: Mapping[str, Any]
) -> Iterator[core.Metric]:
    processes, disks = snapshot.processes or (), snapshot.disks
    refused = (report["messages"] or {}).get("refused", {})
    cases = (report["cases"] or {}).get("states", {})
    known = report["recipients"] or {}
    steps = {step: known[step] for step in health_report.STEPS if step in known}
    is_up = {each.name: each.is_up for each in processes}
    uptime = {each.name: each.uptime_seconds for each in processes}
    free = {each.folder: each.free_bytes for each in disks}
    size = {each.folder: each.size_bytes for each in disks}
    for name, label, text, numbers in (
        ("messages_refused", "kind", "Refused by the mail server.", refused),
        ("cases", "state", "Cases of the help desk.", cases),
        ("recipients", "step", "Recipients who have come so far.", steps),
        ("process_up", "name", "Whether a process works.", is_up),
        ("process_uptime_seconds", "name", "How long it has run.", uptime),
        ("disk_free_bytes", "folder", "Room on the disk of a folder.", free),
        ("disk_size_bytes", "folder", "Size of the disk of a folder.", size),
    ):
        gauge = core.GaugeMetricFamily(f"cvms_{name}", text, labels=[label])
        for value, number in numbers.items():
            if number is not None:
                gauge.add_metric([value], number)
        yield gauge


class _PortalCollector(registry.Collector):
    """Adds up what the processes of the portal have counted."""

    def __init__(self, folder: Path) -> None:
        """Take the folder in which they count; it may not be there yet."""
        self._folder = folder

    def collect(self) -> Iterable[core.Metric]:
        """Return the sums; nothing before the portal's first start."""
        if not self._folder.is_dir():
            return []
        summed = multiprocess.MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]  # published without types
        found: Iterable[core.Metric] = summed.collect()  # type: ignore[no-untyped-call]  # the same
        return found


def start(
    settings: loading.Settings, *, has_processes: bool = True
) -> tuple[simple_server.WSGIServer, threading.Thread]:
    """Start to serve the numbers at every path but one, which needs no snapshot.

    Args:
        settings: The settings.
        has_processes: Whether `cvms up` runs the processes.

    Returns:
        The server, and the thread in which it serves.
    """
    numbers = prometheus_client.CollectorRegistry(auto_describe=False)
    numbers.register(_HealthCollector(settings, has_processes=has_processes))
    numbers.register(_PortalCollector(settings.folders.counts))
    server, thread = prometheus_client.start_http_server(
        settings.web.metrics_port or 0, str(settings.web.metrics_host), numbers
    )
    server.set_app(_with_health_path(prometheus_client.make_wsgi_app(numbers)))
    return server, thread


def _with_health_path(metrics: types.WSGIApplication) -> types.WSGIApplication:
    """Return an application that answers a container's health check by itself."""

    def application(
        environ: types.WSGIEnvironment, start_response: types.StartResponse
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != _HEALTH_PATH:
            return metrics(environ, start_response)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    return application


def main() -> int:
    """Serve until SIGINT; return the exit code."""
    has_processes = _NO_PROCESSES not in sys.argv[1:]
    server, thread = start(loading.load(), has_processes=has_processes)
    try:
        thread.join()
    except KeyboardInterrupt:
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
