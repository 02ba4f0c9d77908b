"""Which processes `cvms up` runs, with which commands and environment.

How they are kept running is in `supervisor` and `supervise`.  Secrets are in the
environment only: every user of the machine can read a command line.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvms_pipeline import disk
from cvms_pipeline.local import private
from cvms_pipeline.local.postgres import embedded
from cvms_pipeline.settings import loading

PREPARE = "cvms_pipeline.run_engine.prepare"
WEB_SERVER = "cvms_pipeline.run_engine.web_server"
PORTAL = "cvms_pipeline.portal.site.serving"
PORTAL_MIGRATION = ("cvms_pipeline.portal.site.manage", "migrate", "--verbosity=0")

_DEFINITIONS = "cvms_pipeline.definitions"
_DAEMON = "cvms_pipeline.run_engine.daemon"
_WORKER = "cvms_pipeline.run_engine.worker"
_METRICS = "cvms_pipeline.local.metrics"
_POSTGRES = "postgres"
# While the code is not loaded, the UI shows an error instead of assets and jobs.
_CODE_QUERY = """{
    workspaceOrError {
        ... on Workspace { locationEntries { locationOrLoadError { __typename } } }
    }
}"""
_SOCKET = "code.sock"
_DATABASE_URL = "CVMS_DATABASE_URL"
_OWNER_URL = "CVMS_MIGRATION_DATABASE_URL"
_STOP_SECONDS = 3
"""For processes that may be killed at any point: a sensor's tick takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a process answers, once it works, over HTTP.

    Attributes:
        title: Its name for people.
        setting: The environment variable that changes the port.
        path: The path that answers 200 when it works.
        question: What is posted there as JSON; with nothing to post, it is a GET.
        words: A part of that answer while it works; empty if any answer suffices.
    """

    title: str
    host: str
    port: int
    setting: str
    path: str = "/"
    question: Mapping[str, str] | None = None
    words: str = ""

    @property
    def url(self) -> str:
        """Return the URL for a person on this machine."""
        host = self.reachable_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def reachable_host(self) -> str:
        """Return the host to connect to, also if it listens on every address."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process to keep running; SIGINT asks it to end.

    Attributes:
        start_seconds: How long it must run to count as started; one that ends
            sooner is restarted after a pause that grows.
        stop_seconds: How long it may take to end before it is killed.
        socket: The Unix socket on which it accepts connections, once it works.
    """

    name: str
    command: Sequence[str]
    start_seconds: int = 5
    stop_seconds: int = 5
    address: Address | None = None
    socket: Path | None = None


def describe_database(server: embedded.EmbeddedPostgres) -> Program:
    """Return the embedded Postgres as a program."""
    return Program(
        name=_POSTGRES,
        command=server.build_command(),
        start_seconds=1,
        stop_seconds=60,
    )


def prepare_services(settings: loading.Settings) -> list[Program]:
    """Return every program that needs the database, and write their workspace file.

    Through that file, the daemon and the web server share one code server; they notice
    by themselves when it starts and ends.
    """
    workspace, socket = _get_places(settings)
    private.ensure_folder(workspace.parent)
    private.ensure_folder(socket.parent)
    server = {"socket": str(socket), "location_name": "cvms_pipeline"}
    disk.write(workspace, json.dumps({"load_from": [{"grpc_server": server}]}).encode())
    return _describe_services(settings)


def list_names(settings: loading.Settings) -> list[str]:
    """Return the names of the processes that `cvms up` would run; makes nothing."""
    database = [_POSTGRES] if settings.database.is_embedded else []
    return [*database, *(each.name for each in _describe_services(settings))]


def _get_places(settings: loading.Settings) -> tuple[Path, Path]:
    """Return the workspace file and the code server's socket."""
    run = settings.folders.run.absolute()
    return run / "workspace.yaml", private.choose_socket_folder(run, _SOCKET) / _SOCKET


def _describe_services(settings: loading.Settings) -> list[Program]:
    workspace, socket = _get_places(settings)
    code = ["--module-name", _DEFINITIONS, "--socket", str(socket)]
    quiet = "--log-level=warning"
    return [
        Program(
            name="code",
            command=_python("dagster", "api", "grpc", *code, quiet),
            socket=socket,
            stop_seconds=_STOP_SECONDS,
        ),
        Program(
            name="daemon",
            command=_python(_DAEMON, "run", "--workspace", str(workspace), quiet),
            stop_seconds=_STOP_SECONDS,
        ),
        _describe_web_server(settings, workspace),
        _describe_worker(settings),
        *([_describe_portal(settings)] if settings.portal.port else []),
        *([_describe_metrics(settings)] if settings.web.metrics_port else []),
    ]


def _describe_web_server(settings: loading.Settings, workspace: Path) -> Program:
    place = ["--host", settings.web.host, "--port", str(settings.web.port)]
    logs = ["--dagster-log-level=warning", "--uvicorn-log-level=warning"]
    return Program(
        name="webserver",
        command=_python(WEB_SERVER, *place, "--workspace", str(workspace), *logs),
        address=Address(
            title="Dagster UI",
            host=settings.web.host,
            port=settings.web.port,
            setting="CVMS_PORT",
            path="/graphql",
            question={"query": _CODE_QUERY},
            words='"RepositoryLocation"',
        ),
    )


def _describe_worker(settings: loading.Settings) -> Program:
    children = f"--concurrency={settings.processing.workers}"
    command = _python(_WORKER, children)
    # A run that has started may finish.
    return Program(name="worker", command=command, stop_seconds=20)


def _describe_metrics(settings: loading.Settings) -> Program:
    return Program(
        name="metrics",
        command=_python(_METRICS),
        address=Address(
            title="Metrics",
            host=str(settings.web.metrics_host),
            port=settings.web.metrics_port,
            setting="CVMS_METRICS_PORT",
            path="/-/healthy",
        ),
        stop_seconds=_STOP_SECONDS,
    )


def _describe_portal(settings: loading.Settings) -> Program:
    return Program(
        name="portal",
        command=_python(PORTAL),
        address=Address(
            title="Portal",
            host=settings.portal.host,
            port=settings.portal.port,
            setting="CVMS_PORTAL_PORT",
            path="/-/healthy",
        ),
        stop_seconds=10,  # requests that have begun may finish
    )


def _python(module: str, *arguments: str) -> list[str]:
    """Return a command that needs neither PATH nor a script's first line."""
    return [sys.executable, "-m", module, *arguments]


def build_environment(
    settings: loading.Settings, *, is_owner: bool = False
) -> dict[str, str]:
    """Return the environment of a process: ours, and every setting as a variable.

    Args:
        settings: The settings.
        is_owner: Whether the process works as the role that owns the tables.  No other
            process gets the password of that role.
    """
    variables = {**os.environ, **settings.as_variables()}
    if is_owner:
        variables[_DATABASE_URL] = settings.urls.owner
    elif settings.database.owner_url is not None:
        variables[_OWNER_URL] = settings.database.url or ""
    return {
        **variables,
        "PATH": os.pathsep.join(
            [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
        ),
        "DAGSTER_HOME": str(settings.folders.home),
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONUNBUFFERED": "1",
    }
