"""What the Dagster UI asks for when an asset's page is opened, and how long it takes.

The queries are answered in this process by Dagster's own GraphQL schema, with the
definitions from a code server beside it, as in the web server.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._grpc.client import DagsterGrpcClient
from dagster_graphql.schema import create_schema

from benchmarks import web

ASSETS = ("upload", "recipients")

Workspace = WorkspaceProcessContext

_SCHEMA = create_schema()
_START_SECONDS = 60


class PageError(Exception):
    """A page's query was not answered in full."""


@contextlib.contextmanager
def code_server() -> Iterator[str]:
    """Run a code server with the product's definitions; yield its socket."""
    with tempfile.TemporaryDirectory(prefix="cvms-code-") as folder:
        socket = str(Path(folder) / "code.sock")
        words = ["api", "grpc", "--module-name", "cvms_pipeline.definitions"]
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", *words, "--socket", socket],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "DAGSTER_HOME": os.environ["CVMS_HOME"]},
        )
        try:
            _wait_for(socket)
            yield socket
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def workspace(instance: dg.DagsterInstance, socket: str) -> Iterator[Workspace]:
    """Open what a web server holds open."""
    target = GrpcServerTarget(
        host="localhost", port=None, socket=socket, location_name="cvms_pipeline"
    )
    with WorkspaceProcessContext(instance, target, version="") as opened:
        yield opened


def seconds(opened: Workspace) -> float:
    """Return how long the page of the slowest of `ASSETS` took."""
    return max(_seconds(opened, asset) for asset in ASSETS)


def _seconds(opened: Workspace, asset: str) -> float:
    started = time.perf_counter()
    answer = asyncio.run(
        _SCHEMA.execute_async(
            web.ASSET_PAGE,
            context_value=opened.create_request_context(),
            variable_values={"key": {"path": [asset]}},
        )
    )
    spent = time.perf_counter() - started
    if answer.errors or not answer.data["assetNodeOrError"]:
        raise PageError(f"The page of {asset}: {answer.errors}")
    return spent


def _wait_for(socket: str) -> None:
    client = DagsterGrpcClient(socket=socket)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            client.ping("")
            return
        time.sleep(0.2)
    raise PageError("The code server has not started.")
