"""The command `cvms`, also `python -m cvms_pipeline.cli`: its commands and exit codes.

Each command is in the module of its group.  Those modules import what is slow to import
inside their functions, so that `cvms --help` is fast.
"""

import atexit
import contextlib
import errno
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
import typer.core

from cvms_pipeline import errors
from cvms_pipeline.cli import (
    accounts,
    backups,
    cases,
    chain,
    demo,
    files,
    messages,
    providers,
    removals,
    running,
    search,
    status,
    terminal,
    uploads,
)

_BUG = 70
"""The exit code after a bug, different from those of all outcomes."""

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Imports create many objects and no garbage, so looking for it often is wasted."""


class _DiskFull(errors.PermanentError):
    """No room left on a disk."""


class _Group(typer.core.TyperGroup):
    """Commands that print a `CvmsError` as its message, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with terminal.exit_on_error(terminal.FAILED), _explained_full_disk():
                return super().invoke(ctx)
        except typer.BadParameter as error:
            _explain_wrong_option(error)
            raise


@contextlib.contextmanager
def _explained_full_disk() -> Iterator[None]:
    """Replace the system's error about a full disk, which is no bug of ours.

    Raises:
        _DiskFull: Names what could not be written, if the system does.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        place = f" for {error.filename}" if error.filename else " on a disk"
        raise _DiskFull(f"No room left{place}. Free some disk space.") from None


def _explain_wrong_option(error: typer.BadParameter) -> None:
    """Replace pydantic's text about a wrong option by the one that settings have."""
    from pydantic import ValidationError

    from cvms_pipeline.settings import variables

    if isinstance(error.__cause__, ValidationError):
        message = variables.explain_value(error.__cause__.errors()[0])
        default = getattr(error.param, "default", None)
        if isinstance(default, int | float):
            message += f"; for example {default:g}"
        error.message = str(terminal.escape(message))


app = typer.Typer(
    name="cvms",
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bulk upload of vaccine recipients: from a dropped file to recipients,"
    " error report and messages.",
    epilog="More about each command, with an example: cvms check --help",
)

_PANELS: Mapping[str, Sequence[Callable[..., None]]] = {
    "Run": (running.up, demo.demo, status.status),
    "Upload": (files.template, files.check, files.drop),
    "Look": (
        uploads.uploads,
        uploads.upload,
        uploads.report,
        chain.outstanding,
        cases.cases,
        cases.case,
        search.recipients,
        search.audit,
    ),
    "Administer": (
        chain.dismiss,
        chain.withdraw,
        backups.backup,
        backups.restore,
        messages.resend,
    ),
}
for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
app.add_typer(messages.app, name="messages", rich_help_panel="Look")
app.add_typer(removals.app, name="removals", rich_help_panel="Look")
app.add_typer(providers.app, name="providers", rich_help_panel="Administer")
app.add_typer(accounts.app, name="accounts", rich_help_panel="Administer")
app.add_typer(running.db, name="db", rich_help_panel="Administer")


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from importlib import metadata

        sys.stdout.write(f"cvms {metadata.version('cvms-pipeline')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run `cvms` with the process's arguments; exit with the command's code."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # At exit Python looks through all objects once more, which takes a third of a
    # second; it skips those that are frozen.
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may lack letters
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="cvms")
    except KeyboardInterrupt:
        sys.exit(terminal.INTERRUPTED)
    except Exception:
        traceback.print_exc()
        sys.exit(_BUG)
    finally:
        _flush()


def _flush() -> None:
    """Write buffered output; a pipe that the reader has closed is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # Python would fail when it flushes again at exit
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        with contextlib.suppress(OSError):
            os.close(null)


if __name__ == "__main__":
    main()
