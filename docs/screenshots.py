"""`make screenshots`: the pictures in docs/pictures, made from a real demonstration.

Starts `cvms demo` in a folder of its own, opens what it has made in a browser, and
writes PNGs.  Pages of the portal and the Dagster UI are as they are; a notice, an error
report and a folder are shown in a plain frame.  The browser is `CVMS_TEST_BROWSER`, or
`chromium`.
"""

import contextlib
import csv
import email
import email.message
import email.policy
import html
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright import sync_api

from benchmarks import ports
from cvms_pipeline.domain.vocabulary import upload

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
MAX_BYTES = 150_000
"""Of a picture, so that the repository stays small."""

_SECONDS = 600
_UPPER_PART: sync_api.FloatRect = {"x": 0, "y": 0, "width": 1440, "height": 710}
_PAUSE_MS = 3_000
"""For what a page of the Dagster UI still loads, in milliseconds."""

_SLUG = "mercy-hospital"
_FILE = "every_reason.csv"
_USER = f"ann@{_SLUG}.example.org"
_STYLE = """
body { font: 15px/1.45 sans-serif; margin: 0; padding: 20px; background: #f4f5f7; }
main { background: #fff; border: 1px solid #c9ccd3; border-radius: 6px; width: 900px; }
header { background: #eef1f5; border-bottom: 1px solid #c9ccd3; padding: 12px 20px; }
header b { display: inline-block; width: 90px; color: #555; font-weight: normal; }
article { padding: 4px 20px 12px; }
table { border-collapse: collapse; background: #fff; font: 13px sans-serif; }
td, th { border: 1px solid #c9ccd3; padding: 4px 8px; text-align: left; }
th { background: #eef1f5; font-weight: normal; color: #555; text-align: center; }
pre { margin: 0; padding: 14px 20px; font: 14px/1.6 monospace; }
"""


def main() -> None:
    """Make every picture."""
    browser = os.environ.get("CVMS_TEST_BROWSER") or shutil.which("chromium")
    if browser is None:
        raise SystemExit("Install chromium, or name a browser in CVMS_TEST_BROWSER.")
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="cvms-screenshots-") as folder,
        _demonstration(Path(folder)) as demo,
        sync_api.sync_playwright() as driver,
    ):
        chromium = driver.chromium.launch(
            executable_path=browser, args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        take_pictures(page, demo, Path(folder) / "data")
        chromium.close()


@dataclass(frozen=True, kw_only=True)
class _Demo:
    """The addresses of a demonstration, and the password of its provider's account."""

    ui: str
    portal: str
    password: str


def take_pictures(page: sync_api.Page, demo: _Demo, data: Path) -> None:
    """Take the pictures of a demonstration that is over."""
    page.set_default_timeout(_SECONDS * 1_000)
    _show_portal(page, demo, data / "samples" / _FILE)
    _show_pages(page, demo.ui)
    _show(page, "notice", _frame_message(_find_notice(data / "mail" / "new")))
    folder = data / "incoming" / _SLUG
    stem = _FILE.removesuffix(".csv")
    report = next(folder.glob(f"results/{stem}-*/{upload.REPORT_NAME}"))
    _show(page, "error_report", _frame_table(report))
    _show(page, "provider_folder", _frame_folder(folder))


@contextlib.contextmanager
def _demonstration(home: Path) -> Iterator[_Demo]:
    """Run `cvms demo` in `home` until its samples are over; yield what it offers."""
    port, portal_port = ports.find_free(), ports.find_free()
    shutil.copy(ROOT / "dagster.yaml", home)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CVMS_")}
    environment = {
        **kept,
        "CVMS_HOME": str(home),
        "CVMS_PORT": str(port),
        "CVMS_PORTAL_PORT": str(portal_port),
        "CVMS_METRICS_PORT": "0",
    }
    log = home / "demo.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # our own command
            [sys.executable, "-m", "cvms_pipeline.cli", "demo"],
            cwd=home,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(lambda: "Everything keeps running" in log.read_text("utf-8"), process)
        (password,) = re.findall(rf"{_USER}  password (\S+)", log.read_text("utf-8"))
        yield _Demo(
            ui=f"http://127.0.0.1:{port}",
            portal=f"http://127.0.0.1:{portal_port}",
            password=password,
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _wait(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The demonstration did not end; see its output.")
        time.sleep(0.5)


def _show_portal(page: sync_api.Page, demo: _Demo, sample: Path) -> None:
    """Take the pages of the portal: a review, and an upload."""
    page.goto(f"{demo.portal}/accounts/login/")
    page.locator("[name=login]").fill(_USER)
    page.locator("[name=password]").fill(demo.password)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/bulk/")
    page.locator("[name=file]").set_input_files(sample)
    page.get_by_role("button", name="Review file", exact=True).click()
    page.wait_for_url("**/review/**")
    _save("review", page.screenshot())
    page.goto(f"{demo.portal}/uploads/")
    page.get_by_role("link", name=_FILE).first.click()
    page.get_by_role("heading", name=_FILE).wait_for()
    _save("upload", page.screenshot())


def _show_pages(page: sync_api.Page, url: str) -> None:
    """Take the pages of the Dagster UI."""
    page.goto(f"{url}/assets/todays_uploads")
    page.get_by_text("Latest materialization").wait_for()
    page.wait_for_timeout(_PAUSE_MS)
    _save("todays_uploads", page.screenshot(clip=_UPPER_PART))
    page.goto(f"{url}/locations/cvms_pipeline/jobs/process_upload/partitions")
    page.get_by_role("button", name="Materialize\N{HORIZONTAL ELLIPSIS}").click()
    page.get_by_role("button", name="Failed", exact=True).click()
    page.wait_for_timeout(_PAUSE_MS)
    _save("run_again", page.screenshot())


def _show(page: sync_api.Page, name: str, content: str) -> None:
    page.set_content(f"<style>{_STYLE}</style>{content}")
    _save(name, page.locator("main, table").first.screenshot())


def _save(name: str, picture: bytes) -> None:
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"{name}.png would have {len(picture):,} bytes.")
    (PICTURES / f"{name}.png").write_bytes(picture)


def _find_notice(folder: Path) -> email.message.EmailMessage:
    """Return the notice about the sample with errors."""
    for path in folder.iterdir():
        message = email.message_from_bytes(
            path.read_bytes(), policy=email.policy.default
        )
        body = message.get_body(("plain",))
        if body and f"Filename: {_FILE}" in body.get_content():
            return message
    raise SystemExit(f"There is no notice about {_FILE}.")


def _frame_message(message: email.message.EmailMessage) -> str:
    """Return a message as a mail program shows it."""
    names = [("From", message["From"]), ("To", message["To"])]
    names.append(("Subject", message["Subject"]))
    attached = [part.get_filename() for part in message.iter_attachments()]
    names += [("Attached", str(name)) for name in attached]
    head = "<br>".join(f"<b>{n}</b> {html.escape(str(value))}" for n, value in names)
    body = message.get_body(("html",))
    content = body.get_content() if body else ""
    inner = content.partition(">")[2].partition("<body")[2].partition(">")[2]
    article = inner.replace("</body></html>", "")
    return f"<main><header>{head}</header><article>{article}</article></main>"


def _frame_table(path: Path) -> str:
    """Return a CSV as a spreadsheet shows it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    letters = "".join(f"<th>{chr(65 + n)}</th>" for n in range(len(rows[0])))
    lines = "".join(
        f"<tr><th>{number}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for number, row in enumerate(rows, start=1)
    )
    return f"<table><tr><th></th>{letters}</tr>{lines}</table>"


def _frame_folder(folder: Path) -> str:
    """Return the folders and files below a provider's folder as a tree."""
    lines = [f"{folder.name}/"]
    for path in sorted(folder.rglob("*")):
        depth = len(path.relative_to(folder).parts)
        lines.append(f"{'    ' * depth}{path.name}{'/' if path.is_dir() else ''}")
    return f"<main><pre>{html.escape(chr(10).join(lines))}</pre></main>"


if __name__ == "__main__":
    main()
