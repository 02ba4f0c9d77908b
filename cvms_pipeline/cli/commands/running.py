"""Running the pipeline: up, demo, db upgrade.

Only names, options and help texts; the work is imported when it is asked for.
"""

from typing import Annotated

import typer

db = typer.Typer(no_args_is_help=True, help="The database.")


def up() -> None:
    """Start everything: database, Dagster, workers; Ctrl-C stops it.

    Example: cvms up
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import running

    raise typer.Exit(running.up(settings.load()))


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop when all sample files are finished.")
    ] = False,
) -> None:
    """Start everything, drop sample files, and show what becomes of them.

    With --exit the exit code is 0 only if every outcome is the expected one.

    Example: cvms demo --exit
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import demo

    raise typer.Exit(demo.run(settings.load(), leave=leave))


@db.command()
def upgrade() -> None:
    """Bring the tables to this version; `cvms up` does so by itself.

    Example: cvms db upgrade
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import running

    running.upgrade(settings.load())
