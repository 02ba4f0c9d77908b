"""`python -m cvms_pipeline.local.metrics`: the numbers of health, for Prometheus.

With `--no-processes` those of the processes are left out: something else runs them.
Nothing runs until somebody asks; then everything is looked at anew.  No label holds
a provider, a file or a person.  What is looked at is `watching`.
"""

import http.server
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import prometheus_client
from prometheus_client import core, registry

from cvms_pipeline import settings as settings_
from cvms_pipeline.ingest import health
from cvms_pipeline.local import processes, watching

_SECONDS_FOR_A_REQUEST = 30
_HEALTHY = "/-/healthy"
_NO_PROCESSES = "--no-processes"

Told = Mapping[str, tuple[str, float | None]]


class Collector(registry.Collector):
    """Looks when it is asked, and tells what it has seen."""

    def __init__(self, watcher: watching.Watcher, limits: health.Limits) -> None:
        """Take what looks, and when something is bad."""
        self._watcher = watcher
        self._limits = limits

    def describe(self) -> list[core.Metric]:
        """Return nothing: registering is no reason to look."""
        return []

    def collect(self) -> Iterator[core.Metric]:
        """Look, and yield each number that is known."""
        seen = self._watcher.look()
        state = health.worst(health.problems(seen, self._limits))
        for name, (text, number) in _numbers(seen, state).items():
            if number is not None:
                yield core.GaugeMetricFamily(f"cvms_{name}", text, value=number)
        yield from _of_refused(seen)
        yield from _of_processes(seen)
        yield from _of_spaces(seen)


def _numbers(seen: health.Seen, state: health.State) -> Told:
    up = float(seen.backlog is not None)
    return {
        "health": ("0: all is well, 1: warning, 2: critical.", float(state)),
        "database_up": ("Whether the database answers.", up),
        **_of_backlog(seen),
        **_of_queue(seen),
        **_of_files(seen),
    }


def _of_backlog(seen: health.Seen) -> Told:
    backlog = seen.backlog
    if backlog is None:
        return {}
    oldest_upload = seen.age(backlog.oldest_upload_at)
    oldest_message = seen.age(backlog.oldest_message_at)
    return {
        "uploads_waiting": ("Uploads not finished.", backlog.uploads_waiting),
        "oldest_waiting_upload_age_seconds": ("Of the oldest of them.", oldest_upload),
        "uploads_failed": ("Whose last run has failed.", backlog.uploads_failed),
        "messages_unsent": ("Messages to be sent.", backlog.messages_unsent),
        "oldest_unsent_message_age_seconds": ("Of the oldest of them.", oldest_message),
    }


def _of_queue(seen: health.Seen) -> Told:
    queue = seen.queue
    if queue is None:
        return {}
    return {
        "runs_queued": ("Runs that no worker has.", queue.queued),
        "runs_running": ("Runs started and not ended.", queue.running),
        "broker_messages": ("Tasks at the broker.", queue.broker_messages),
        "retention_failed": ("Whether its last run has.", queue.is_retention_failed),
    }


def _of_files(seen: health.Seen) -> Told:
    files = seen.unclaimed
    if files is None:
        return {}
    oldest = seen.age(files.oldest_at)
    astray = seen.age(files.oldest_misplaced_at)
    return {
        "incoming_files": ("Files that are no uploads yet.", files.files),
        "oldest_incoming_file_age_seconds": ("Of the oldest of them.", oldest),
        "misplaced_files": (
            "Files in the incoming folder in no lane.",
            files.misplaced,
        ),
        "oldest_misplaced_file_age_seconds": ("Of the oldest of them.", astray),
    }


def _of_refused(seen: health.Seen) -> Iterator[core.Metric]:
    refused = core.GaugeMetricFamily(
        "cvms_messages_refused", "Refused by the mail server.", labels=["kind"]
    )
    if seen.backlog is not None:
        refused.add_metric(["notice"], seen.backlog.notices_refused)
        refused.add_metric(["invitation"], seen.backlog.invitations_refused)
        refused.add_metric(["alert"], seen.backlog.alerts_refused)
    yield refused


def _of_processes(seen: health.Seen) -> Iterator[core.Metric]:
    up = core.GaugeMetricFamily(
        "cvms_process_up", "Whether a process works.", labels=["name"]
    )
    uptime = core.GaugeMetricFamily(
        "cvms_process_uptime_seconds", "For how long it runs.", labels=["name"]
    )
    for each in seen.processes or ():
        up.add_metric([each.name], float(each.is_up))
        if each.uptime_seconds is not None:
            uptime.add_metric([each.name], each.uptime_seconds)
    yield from (up, uptime)


def _of_spaces(seen: health.Seen) -> Iterator[core.Metric]:
    free = core.GaugeMetricFamily(
        "cvms_disk_free_bytes", "Room on the disk of a folder.", labels=["folder"]
    )
    size = core.GaugeMetricFamily(
        "cvms_disk_size_bytes", "Size of the disk of a folder.", labels=["folder"]
    )
    for each in seen.spaces:
        free.add_metric([each.name], each.free_bytes)
        size.add_metric([each.name], each.size_bytes)
    yield from (free, size)


def server(
    settings: settings_.Settings, *, own: bool = True
) -> http.server.ThreadingHTTPServer:
    """Return the server, bound to its address; serve it for ever.

    Args:
        settings: The settings.
        own: Whether it is `cvms up` that runs the processes.
    """
    watcher = watching.Watcher(settings, own=own)
    collector = Collector(watcher, watching.limits(settings))
    numbers = prometheus_client.CollectorRegistry(auto_describe=False)
    numbers.register(collector)
    address = (str(settings.metrics_host), processes.metrics_port(settings))
    return http.server.ThreadingHTTPServer(address, _handler(numbers))


def _handler(
    numbers: prometheus_client.CollectorRegistry,
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(prometheus_client.MetricsHandler):
        """Tells the numbers at any path but one, which only says that it works."""

        registry = numbers
        timeout = _SECONDS_FOR_A_REQUEST

        def do_GET(self) -> None:  # noqa: N802  # the server's name
            """Answer."""
            if self.path == _HEALTHY:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: it would be a line every few seconds."""

    return Handler


def main() -> int:
    """Serve until SIGINT; return the exit code."""
    own = _NO_PROCESSES not in sys.argv[1:]
    with server(settings_.load(), own=own) as serving:
        try:
            serving.serve_forever(poll_interval=None)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
