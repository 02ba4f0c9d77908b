"""The command `cvms`, put together: which commands there are, and how they end.

What each command takes is in `commands`, what it does in the other modules here.
"""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
import typer.core

from cvms_pipeline.cli import terminal
from cvms_pipeline.cli.commands import (
    backups,
    files,
    history,
    mending,
    providers,
    running,
    watching,
)

_FAILED = 1
_BUG = 70
"""The exit code after a fault of ours, so that none is taken for an outcome."""


class _Group(typer.core.TyperGroup):
    """Ends a command that raises an error of ours with its message, no traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Invoke the command."""
        try:
            with terminal.failing(_FAILED):
                return super().invoke(ctx)
        except typer.BadParameter as error:
            _put_in_words(error)
            raise


def _put_in_words(error: typer.BadParameter) -> None:
    """Let what pydantic has found wrong with an option be said in words of ours."""
    from pydantic import ValidationError  # it is slow

    from cvms_pipeline import wrong_values

    if isinstance(error.__cause__, ValidationError):
        said = wrong_values.said(error.__cause__.errors()[0])
        default = getattr(error.param, "default", None)
        if isinstance(default, int | float):
            said += f"; for example {default:g}"
        error.message = str(terminal.plain(said))


app = typer.Typer(
    name="cvms",
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bulk upload of vaccine recipients: from a dropped file to recipients,"
    " error report and messages.",
    epilog="Every command says more, with an example: cvms check --help",
)

_PANELS: Mapping[str, Sequence[Callable[..., None]]] = {
    "Run": (running.up, running.demo, watching.status),
    "Upload": (files.template, files.check, files.drop),
    "Look": (
        history.uploads,
        history.upload,
        history.report,
        history.recipients,
        history.messages,
        history.audit,
    ),
    "Administer": (backups.backup, backups.restore, mending.resend),
}
for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
app.add_typer(providers.app, name="providers", rich_help_panel="Administer")
app.add_typer(running.db, name="db", rich_help_panel="Administer")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib import metadata  # it is slow

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may not fit the terminal
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
    """Write what is left; a reader who has gone away is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        with contextlib.suppress(OSError):
            os.close(nowhere)
