"""The commands up and db upgrade, and the database and pipeline of every command.

`local` runs the processes and `bootstrap` opens the pipeline; this module combines them
and prints what runs.
"""

import contextlib
import functools
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import rich.panel
import rich.text
import typer

from cvms_pipeline import errors
from cvms_pipeline.cli import status, terminal
from cvms_pipeline.domain.vocabulary import upload

if TYPE_CHECKING:
    from cvms_pipeline.settings import loading
    from cvms_pipeline.use_cases import pipelines

_ANSWER_SECONDS = 2.0
_OWNERS = {"prepare": "Dagster's", "portal-tables": "The portal's"}
"""Whose tables are made, by the name of the log."""

db = typer.Typer(no_args_is_help=True, help="The database.")


class _PreparationFailed(errors.PermanentError):
    """Dagster's or the portal's tables could not be created."""


class _NothingRuns(errors.PermanentError):
    """Nothing is running that processes uploads."""


def up() -> None:
    """Start everything: database, Dagster, workers; Ctrl-C stops it.

    Example: cvms up
    """
    from cvms_pipeline.settings import loading

    chosen = loading.load()

    def ready(addresses: Mapping[str, str]) -> None:
        print_addresses(chosen, addresses)
        print_next_step(chosen)

    raise typer.Exit(run(chosen, ready))


@db.command("upgrade")
def _upgrade() -> None:
    """Migrate the tables to this version; `cvms up` does it automatically.

    Example: cvms db upgrade
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.settings import loading

    chosen = loading.load()
    with run_database(chosen):
        bootstrap.migrate(chosen)
        migrate_portal(chosen)
    terminal.print_line("The tables are those of this version.")


@contextlib.contextmanager
def open_pipeline(
    chosen: "loading.Settings | None" = None,
) -> "Iterator[pipelines.Pipeline]":
    """Open the pipeline for a command, and run its database meanwhile.

    The embedded database is migrated to this version; a database of the user's own is
    never migrated.

    Args:
        chosen: The settings; default: they are loaded.

    Raises:
        DatabaseOutdated: If the user's own database has tables of another version.
        DatabaseUnreachable: If it cannot be reached.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.settings import loading

    chosen = chosen or loading.load()
    with run_database(chosen):
        if not chosen.database.is_embedded:
            if not bootstrap.is_migrated(chosen):
                raise bootstrap.DatabaseOutdated
        elif not bootstrap.is_migrated(chosen, as_owner=True):
            bootstrap.migrate(chosen)
        with bootstrap.open_pipeline(chosen, actor=get_actor()) as pipeline:
            yield pipeline


@contextlib.contextmanager
def run_database(chosen: "loading.Settings") -> Iterator[None]:
    """Run the database for a command; the embedded one is started if necessary."""
    from cvms_pipeline.local.postgres import sharing

    if not chosen.database.is_embedded:
        yield
        return
    with sharing.use_server(chosen.folders.data):
        yield


def is_database_available(chosen: "loading.Settings") -> bool:
    """Return whether the database answers within two seconds and is of this version.

    The embedded one is not started.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.maintenance import inspection

    with contextlib.suppress(errors.CvmsError, OSError):  # a TimeoutError is one
        return inspection.call_within(
            _ANSWER_SECONDS, functools.partial(bootstrap.is_migrated, chosen)
        )
    return False


def get_actor() -> str:
    """Return the name of the system's user, as the audit records it."""
    try:
        return f"user:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # in a container the user may have no name
        return f"user:{os.getuid()}"


def is_up(chosen: "loading.Settings") -> bool:
    """Return whether `cvms up` runs with the data folder of these settings."""
    from cvms_pipeline.local import supervisor

    return bool(supervisor.get_process_states(chosen.folders.data))


def check_running(chosen: "loading.Settings") -> None:
    """Check that something processes uploads, as far as this machine can know.

    With a database of the user's own, the processes may run on other machines.

    Raises:
        PermanentError: If the database is the embedded one and `cvms up` does not run.
    """
    if chosen.database.is_embedded and not is_up(chosen):
        raise _NothingRuns(
            "Nothing is running that takes uploads in, so nothing was dropped. Start"
            " `cvms up` in another terminal, or leave out --wait."
        )


def run(
    chosen: "loading.Settings", ready: Callable[[Mapping[str, str]], bool | None]
) -> int:
    """Run everything until Ctrl-C, or until `ready` returns True.

    Args:
        chosen: The settings.
        ready: Called when everything runs, with titles and their addresses.

    Returns:
        The exit code.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.local import supervise

    bootstrap.check_permissions(chosen)
    with contextlib.ExitStack() as starting:
        text = rich.text.Text("Starting database, Dagster and workers …")
        starting.enter_context(terminal.err().status(text))

        def started(addresses: Mapping[str, str]) -> bool | None:
            starting.close()
            return ready(addresses)

        def report(sentence: str) -> None:
            starting.close()
            with contextlib.suppress(OSError):  # the terminal may be closed
                terminal.print_note(sentence)

        code = supervise.up(
            chosen, migrate=lambda: migrate(chosen), ready=started, report=report
        )
        report("Stopped.")
        return code


def migrate(chosen: "loading.Settings") -> None:
    """Migrate our tables to this version, then those of Dagster, Celery and the portal.

    Raises:
        DatabaseUnreachable: If the database cannot be reached.
        PermanentError: If Dagster's tables could not be created.
    """
    from cvms_pipeline import bootstrap
    from cvms_pipeline.local import processes

    bootstrap.migrate(chosen)
    with (
        _prepare(chosen, "prepare", processes.PREPARE),
        _prepare(chosen, "portal-tables", *processes.PORTAL_MIGRATION),
    ):
        pass  # both at once: they have different schemas


def migrate_portal(chosen: "loading.Settings") -> None:
    """Migrate the portal's tables to this version.

    Raises:
        PermanentError: If they could not be made.
    """
    from cvms_pipeline.local import processes

    with _prepare(chosen, "portal-tables", *processes.PORTAL_MIGRATION):
        pass


@contextlib.contextmanager
def _prepare(chosen: "loading.Settings", name: str, *command: str) -> Iterator[None]:
    """Run a module that makes tables, as their owner, while the block runs.

    Raises:
        PermanentError: If it fails; it names the log.
    """
    from cvms_pipeline import disk
    from cvms_pipeline.local import processes

    log_path = chosen.folders.data / "logs" / f"{name}.log"
    disk.make_folder(log_path.parent)
    with disk.open_private(log_path, "wb") as output:
        running = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=chosen.folders.home,
            env=processes.build_environment(chosen, is_owner=True),
        )
    try:
        yield
    finally:
        exit_code = running.wait()
    if exit_code:
        raise _PreparationFailed(
            f"{_OWNERS[name]} tables could not be made; see {log_path}. `cvms up` tries"
            " again."
        )


def print_addresses(chosen: "loading.Settings", addresses: Mapping[str, str]) -> None:
    """Print the addresses of what runs, and the folders for files, mail and logs."""
    incoming = terminal.shorten_path(chosen.folders.path("incoming"))
    low, high = upload.Lane
    pairs = [
        *((title, terminal.escape(url, "bold")) for title, url in addresses.items()),
        ("Drop files into", f"{incoming}/<provider>/{low}/ (or {high}/)"),
        ("Outcomes", f"{incoming}/<provider>/results/"),
        ("Messages", status.describe_mail(chosen)),
        ("Logs", terminal.shorten_path(chosen.folders.data / "logs")),
    ]
    out = terminal.out()
    title = "The bulk upload is running; Ctrl-C stops it"
    panel = rich.panel.Panel(terminal.make_facts(pairs), title=title, expand=False)
    out.print(panel)
    if not chosen.web.is_read_only:
        out.print("The Dagster UI has no log-in: whoever reaches it may do anything.")


def print_next_step(chosen: "loading.Settings") -> None:
    """Print where to look, and what to do next if there is no provider yet."""
    from cvms_pipeline.use_cases import providers

    with open_pipeline(chosen) as pipeline:
        found = providers.list_providers(pipeline)
    status.print_where_to_look(
        chosen, provider=found[0].slug if found else "<provider>"
    )
    if not found:
        next_step = "Add a provider: cvms providers add --help"
        terminal.out().print()
        terminal.print_line(f"Nobody may upload yet. {next_step}")
