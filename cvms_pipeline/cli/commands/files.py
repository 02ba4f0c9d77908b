"""What a provider does with files: template, check, drop.

Only names, options and help texts; the work is imported when it is asked for, so
that `cvms --help` waits for nothing.
"""

from pathlib import Path
from typing import Annotated

import typer

from cvms_pipeline.cli.commands import options

_STANDARD_OUTPUT = Path("-")


def template(
    path: Annotated[
        Path, typer.Argument(help="The new file; by default, or -, standard output.")
    ] = _STANDARD_OUTPUT,
    force: options.Force = False,
) -> None:
    """Write the empty template: a CSV that has only the header.

    Example: cvms template staff.csv
    """
    from cvms_pipeline.cli import local_files, terminal
    from cvms_pipeline.domain import columns

    header = ",".join(columns.TEMPLATE_HEADER) + "\r\n"
    written = local_files.write(path, header.encode(), force=force)
    if written:
        terminal.out().print(terminal.plain(f"The template is in {written}"))


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to check.")],
    lane: options.AnyLane = None,
    json: options.Json = False,
) -> None:
    """Say what would happen to a file; nothing is loaded and nothing sent.

    Needs no database; if one is running, recipients loaded before are found, too.
    Exit code 0: all rows are good; 1: some are rejected; 2: the file is refused,
    or cannot be read.

    Example: cvms check staff.csv
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import checking, terminal

    with terminal.failing(checking.REFUSED):
        checked = checking.check(file, lane, settings.load())
        if json:
            terminal.print_json(checking.as_json(checked))
        else:
            checking.show(checked)
    raise typer.Exit(checked.exit_code)


def drop(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV to upload.")],
    provider: Annotated[
        str, typer.Option("--provider", metavar="SLUG", help="Whose upload it is.")
    ],
    lane: options.Lane,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it and print the outcome.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Wait at most so many seconds.")
    ] = 600,
    json: options.Json = False,
) -> None:
    """Put a file into a provider's incoming folder, whole or not at all.

    With --wait the exit code is 0: completed; 1: some rows were rejected; 2: the
    file was refused; 3: the upload failed, or took too long.

    Example: cvms drop staff.csv --provider mercy --lane low_volume --wait
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import dropping

    request = dropping.Request(file=file, provider=provider, lane=lane)
    code = (
        dropping.drop_and_wait(request, settings.load(), timeout, as_json=json)
        if wait
        else dropping.drop(request, settings.load(), as_json=json)
    )
    raise typer.Exit(code)
