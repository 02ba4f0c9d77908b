"""Watching over an installation: status.

Only names, options and help texts; the work is imported when it is asked for.
"""

from typing import Annotated

import typer

from cvms_pipeline.cli.commands import options

_CRITICAL = 2


def status(
    no_processes: Annotated[
        bool,
        typer.Option(
            "--no-processes", help="Leave them out: something else runs them."
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Say how the installation is: processes, queue, what waits, what failed, disks.

    Needs nothing to be running.
    Exit code 0: all is well; 1: warning; 2: critical, or it cannot be told.
    Each reason is named.

    Example: cvms status
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import status, terminal

    with terminal.failing(_CRITICAL):
        code = status.status(settings.load(), own=not no_processes, as_json=json)
    raise typer.Exit(code)
