"""A real browser, and a page of another site that attacks the Dagster UI from it."""

import contextlib
import http.server
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import attacks
import pytest

_SECONDS = 120
_VIRTUAL_MILLISECONDS = 20_000
"""How long a page may take by the browser's clock, which waits for the network."""

WAYS = (
    "fetch",
    "fetch-report",
    "beacon",
    "image",
    "script",
    "form",
    "sandboxed-form",
)
"""How the page makes the browser send something that Dagster would obey."""

_PAGE = """<!DOCTYPE html><html><body><script>
const loaded = element => new Promise(resolve => {
  element.onload = element.onerror = resolve;
  document.body.append(element);
});
const made = (tag, values) => Object.assign(document.createElement(tag), values);
const form = url => `<form method=post action="${url}"></form>`
  + '<script>document.forms[0].submit()<' + '/script>';
const submitted = (html, sandbox) => {
  const element = made("iframe", {srcdoc: html});
  if (sandbox) element.sandbox = sandbox;
  return loaded(element);
};
const socket = url => new Promise(resolve => {
  const opened = new WebSocket(url, "graphql-ws");
  opened.onopen = () => resolve("open");
  opened.onerror = () => resolve("refused");
});
(async () => {
  const simple = {method: "POST", mode: "no-cors", credentials: "include"};
  await fetch("{fetch}", simple).catch(() => 0);
  await fetch("{fetch-report}", simple).catch(() => 0);
  navigator.sendBeacon("{beacon}");
  await loaded(made("img", {src: "{image}"}));
  await loaded(made("script", {src: "{script}"}));
  await submitted(form("{form}"));
  await submitted(form("{sandboxed-form}"), "allow-forms allow-scripts");
  const state = await socket("{socket}");
  await fetch(`/end?${state}`, {method: "POST"});
})();
</script></body></html>
"""


def find_browser() -> str:
    """Return the program, or skip the test."""
    found = os.environ.get("CVMS_TEST_BROWSER") or shutil.which("chromium")
    if found is None:
        pytest.skip(
            "NOT TESTED WITH A BROWSER: there is no chromium on the PATH;"
            " on Debian: apt-get install chromium, or name one by CVMS_TEST_BROWSER"
        )
    return found


def key(prefix: str, way: str) -> str:
    return f"{prefix}-{way}"


def read_page(url: str, folder: Path) -> str:
    """Return the page that a browser has made of a URL, with what its scripts did."""
    options = [f"--virtual-time-budget={_VIRTUAL_MILLISECONDS}", "--dump-dom"]
    ended = subprocess.run(  # noqa: S603 # our own words
        [*_command(folder), *options, url],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    return ended.stdout


def _command(folder: Path) -> list[str]:
    """Return how to start the browser with nothing to show it on.

    All names below `example` lead to this machine, as after a change in their DNS.
    """
    return [
        find_browser(),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        f"--user-data-dir={folder}",
        "--host-resolver-rules=MAP *.example 127.0.0.1",
    ]


def visit_attacker(site: str, ui: str, folder: Path) -> str:
    """Let a browser open the page that attacks `ui`; return how its websocket ended.

    The keys of what it tries to change begin with the name of the site.
    """
    with _attacker(ui, site) as (port, ended), tempfile.TemporaryFile() as log:
        browser = subprocess.Popen(  # noqa: S603 # our own words
            [*_command(folder), f"http://{site}:{port}/"], stdout=log, stderr=log
        )
        try:
            return ended.get(timeout=_SECONDS)
        finally:
            browser.terminate()
            browser.wait(30)


@contextlib.contextmanager
def _attacker(ui: str, prefix: str) -> Iterator[tuple[int, queue.Queue[str]]]:
    """Serve the page; yield the port, and where it says how it has ended."""
    page = _PAGE.replace("{socket}", f"{ui.replace('http:', 'ws:')}/graphql")
    for way in WAYS:
        make = attacks.report if way.endswith("report") else attacks.by_query
        page = page.replace(f"{{{way}}}", ui + make(key(prefix, way)))
    ended: queue.Queue[str] = queue.Queue()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(page.encode())

        def do_POST(self) -> None:
            self._answer(b"")
            ended.put(self.path.partition("?")[2])

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], ended
        finally:
            server.shutdown()
            thread.join()
