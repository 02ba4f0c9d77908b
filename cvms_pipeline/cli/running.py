"""`cvms up` and `cvms db upgrade`: what surrounds the processes of `local`.

Which processes there are and how they are kept is `local`; here are the migrations
that come before them, and what is told when they run.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

import rich.panel
import rich.text

from cvms_pipeline import errors, opening
from cvms_pipeline import settings as settings_
from cvms_pipeline.cli import access, terminal
from cvms_pipeline.domain import upload
from cvms_pipeline.files import disk
from cvms_pipeline.local import processes, supervise
from cvms_pipeline.store import engine, providers

PREPARE = "cvms_pipeline.defs.prepare"

_HIGH = upload.Lane.HIGH_VOLUME

Addresses = Mapping[str, str]


class PreparationFailed(errors.PermanentError):
    """Dagster's tables could not be made."""


def up(settings: settings_.Settings) -> int:
    """Run everything until Ctrl-C; return the exit code."""

    def ready(addresses: Addresses) -> None:
        show(settings, addresses)
        show_next_step(settings)

    return run(settings, ready)


def run(settings: settings_.Settings, ready: Callable[[Addresses], bool | None]) -> int:
    """Run everything, telling that it is being started, until `ready` says True."""
    opening.check_permissions(settings)
    with _spinning("Starting database, Dagster and workers …") as stop:

        def started(addresses: Addresses) -> bool | None:
            stop()
            return ready(addresses)

        return supervise.up(settings, migrate=lambda: migrate(settings), ready=started)


def migrate(settings: settings_.Settings) -> None:
    """Bring our tables to this version, then Dagster's and Celery's.

    Raises:
        StoreAway: If the database cannot be reached.
        PreparationFailed: If Dagster's tables could not be made.
    """
    engine.upgrade(settings.owner_url, access.service(settings))
    log_path = settings.data / "logs" / "prepare.log"
    disk.make_folder(log_path.parent)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, disk.PRIVATE_FILE)
    with os.fdopen(log, "wb") as output:
        ended = subprocess.run(  # noqa: S603  # our own module
            [sys.executable, "-m", PREPARE],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=settings.home,
            env=processes.environment(settings, is_owner=True),
        )
    if ended.returncode:
        raise PreparationFailed(
            f"Dagster's tables could not be made; see {log_path}. `cvms up` tries"
            " again."
        )


def upgrade(settings: settings_.Settings) -> None:
    """Bring our tables to this version and say so."""
    with access.running(settings) as url:
        engine.upgrade(url, access.service(settings))
    terminal.out().print("The tables are those of this version.")


def show(settings: settings_.Settings, addresses: Addresses) -> None:
    """Print where everything is."""
    incoming = terminal.place(settings.folder("incoming"))
    pairs = [
        *((title, terminal.plain(url, "bold")) for title, url in addresses.items()),
        (
            "Drop files into",
            f"{incoming}/<provider>/{upload.Lane.LOW_VOLUME}/ (or {_HIGH}/)",
        ),
        ("Outcomes", f"{incoming}/<provider>/results/"),
        ("Messages", mail_place(settings)),
        ("Logs", terminal.place(settings.data / "logs")),
    ]
    out = terminal.out()
    title = "The bulk upload is running; Ctrl-C stops it"
    panel = rich.panel.Panel(terminal.facts(pairs), title=title, expand=False)
    out.print(panel)
    if not settings.read_only:
        out.print("The Dagster UI has no log-in: whoever reaches it may do anything.")


def show_next_step(settings: settings_.Settings) -> None:
    """Print what is to be done while nobody may upload."""
    with access.opened(settings) as store, store.begin() as conn:
        is_known = bool(providers.list_all(conn))
    if not is_known:
        next_step = "Add a provider: cvms providers add --help"
        terminal.out().print(f"Nobody may upload yet. {next_step}")


def mail_place(settings: settings_.Settings) -> str:
    """Return where messages go, without a password."""
    if settings.smtp_url is None:
        return f"{terminal.place(settings.folder('mail'))} (a Maildir)"
    return "the mail server in CVMS_SMTP_URL"


@contextlib.contextmanager
def _spinning(text: str) -> Iterator[Callable[[], None]]:
    """Show that something goes on, until the block ends or `stop` is called."""
    progress = terminal.err().status(rich.text.Text(text))
    progress.start()
    try:
        yield progress.stop
    finally:
        progress.stop()
