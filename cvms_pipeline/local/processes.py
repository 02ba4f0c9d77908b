"""Which processes `cvms up` runs, with which commands and environment.

How they are kept running is in `supervisor` and `supervise`.  Secrets go through
the environment only: a command line can be read by everybody.
"""

import json
import os
import sys
import sysconfig
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic

from cvms_pipeline import settings as settings_
from cvms_pipeline.local import postgres, private

DEFINITIONS = "cvms_pipeline.definitions"
WORKER = "cvms_pipeline.defs.worker"
METRICS = "cvms_pipeline.local.metrics"
POSTGRES = "postgres"
# While the code is not loaded, the UI shows an error in the place of assets and jobs.
_ASK_FOR_CODE = """{
    workspaceOrError {
        ... on Workspace { locationEntries { locationOrLoadError { __typename } } }
    }
}"""
_HIGHEST_PORT = 65_535
QUEUE = "dagster"
_CODE_SOCKET = "code.sock"
_OWNER_URL = f"{settings_.PREFIX}MIGRATION_DATABASE_URL"
# A sensor may be waiting inside its tick for much longer; a tick may be killed at
# any point, so that nobody need wait for it.
_TICK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a process answers, once it works, over HTTP.

    Attributes:
        title: What a person calls it.
        setting: The environment variable that moves it.
        path: What answers 200 when it works.
        words: What that answer says only then; nothing in particular if empty.
    """

    title: str
    host: str
    port: int
    setting: str
    path: str = "/"
    words: str = ""

    @property
    def url(self) -> str:
        """Return the URL for a person on this machine."""
        host = self.reachable_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def reachable_host(self) -> str:
        """Return the host to connect to, also where all addresses are listened on."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process to keep running; SIGINT asks it to end.

    Attributes:
        start_seconds: How long it must live to count as started; one that ends
            sooner is started again after a pause that grows.
        stop_seconds: How long it may take to end before it is killed.
    """

    name: str
    command: Sequence[str]
    start_seconds: int = 5
    stop_seconds: int = 5
    address: Address | None = None
    socket: Path | None = None


def database(server: postgres.EmbeddedPostgres) -> Program:
    """Return the embedded Postgres as a program."""
    return Program(
        name=POSTGRES,
        command=server.server_command(),
        start_seconds=1,
        stop_seconds=60,
    )


def services(settings: settings_.Settings) -> list[Program]:
    """Return everything that needs the database; leaves a workspace file for them.

    The daemon and the web server share one code server, and notice by themselves
    when it comes and goes.
    """
    run = private.folder(settings.data / "run")
    socket = private.socket_folder(run, _CODE_SOCKET) / _CODE_SOCKET
    workspace = run / "workspace.yaml"
    server = {"socket": str(socket), "location_name": "cvms_pipeline"}
    private.write(workspace, json.dumps({"load_from": [{"grpc_server": server}]}))
    return [
        _code_server(private.folder(socket.parent) / socket.name),
        _daemon(workspace),
        _web_server(settings, workspace),
        _worker(settings),
        *([_metrics(settings)] if metrics_port(settings) else []),
    ]


def names(settings: settings_.Settings) -> list[str]:
    """Return what the processes are called that `cvms up` would run; makes nothing."""
    first = [POSTGRES] if settings.database_url is None else []
    last = ["metrics"] if metrics_port(settings) else []
    return [*first, "code", "daemon", "webserver", "worker", *last]


def metrics_port(settings: settings_.Settings) -> int:
    """Return the port of the metrics; 0 if they are off."""
    if settings.metrics_port is not None:
        return settings.metrics_port
    step = 2 if settings.port < _HIGHEST_PORT - 1 else -2
    return settings.port + step


def _code_server(socket: Path) -> Program:
    where = ["--module-name", DEFINITIONS, "--socket", str(socket)]
    command = _python("dagster", "api", "grpc", *where, "--log-level=warning")
    return Program(name="code", command=command, socket=socket, stop_seconds=_TICK)


def _daemon(workspace: Path) -> Program:
    options = ["--workspace", str(workspace), "--log-level=warning"]
    command = _python("cvms_pipeline.defs.daemon", "run", *options)
    return Program(name="daemon", command=command, stop_seconds=_TICK)


def _web_server(settings: settings_.Settings, workspace: Path) -> Program:
    place = ["--host", settings.host, "--port", str(settings.port)]
    logs = ["--dagster-log-level=warning", "--uvicorn-log-level=warning"]
    mode = ["--read-only"] if settings.read_only else []
    return Program(
        name="webserver",
        command=_python(
            "dagster_webserver", *place, "--workspace", str(workspace), *logs, *mode
        ),
        address=Address(
            title="Dagster UI",
            host=settings.host,
            port=settings.port,
            setting="CVMS_PORT",
            path=f"/graphql?{urllib.parse.urlencode({'query': _ASK_FOR_CODE})}",
            words='"RepositoryLocation"',
        ),
    )


def _worker(settings: settings_.Settings) -> Program:
    pool = ["--pool=prefork", f"--concurrency={settings.workers}"]
    fair = ["--optimization=fair", "--prefetch-multiplier=1", f"--queues={QUEUE}"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    options = [*pool, *fair, *quiet, "--loglevel=warning"]
    return Program(
        name="worker",
        command=_python("celery", f"--app={WORKER}", "worker", *options),
        stop_seconds=20,  # what is being worked on may finish
    )


def _metrics(settings: settings_.Settings) -> Program:
    return Program(
        name="metrics",
        command=_python(METRICS),
        address=Address(
            title="Metrics",
            host=str(settings.metrics_host),
            port=metrics_port(settings),
            setting="CVMS_METRICS_PORT",
            path="/-/healthy",
        ),
        stop_seconds=_TICK,
    )


def _python(module: str, *arguments: str) -> list[str]:
    """Return a command that needs neither PATH nor a script's first line."""
    return [sys.executable, "-m", module, *arguments]


def environment(
    settings: settings_.Settings, *, is_owner: bool = False
) -> dict[str, str]:
    """Return the environment of every process: ours, and the settings spelt out.

    How the tables' owner gets in is told only to who `is_owner`.
    """
    everything = {**os.environ, **_spelt_out(settings)}
    if not is_owner and settings.migration_database_url is not None:
        everything[_OWNER_URL] = settings.database_url or ""
    return {
        **everything,
        "PATH": os.pathsep.join(
            [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
        ),
        "DAGSTER_HOME": str(settings.home),
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONUNBUFFERED": "1",
    }


def _spelt_out(settings: settings_.Settings) -> dict[str, str]:
    values = settings.model_dump(exclude_none=True)
    return {
        f"{settings_.PREFIX}{name.upper()}": _plain(value)
        for name, value in values.items()
    }


def _plain(value: object) -> str:
    if isinstance(value, pydantic.SecretStr):
        return value.get_secret_value()
    return str(value)
