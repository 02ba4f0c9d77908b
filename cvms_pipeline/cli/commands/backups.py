"""Keeping everything twice: backup, restore.

Only names, options and help texts; the work is imported when it is asked for.
"""

from pathlib import Path
from typing import Annotated

import typer


def backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The new file.")],
) -> None:
    """Write tables, archive and what waits to one new file; all may go on running.

    It holds personal data, and only you can read it.
    Exit code 0: all is in it; 1: it was not made, or the archive lacked
    something, which is named.

    Example: cvms backup /srv/backup/monday.tar
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import backups

    raise typer.Exit(backups.backup(settings.load(), path))


def restore(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The backup.")],
    check: Annotated[
        bool,
        typer.Option("--check", help="Only read it, and say whether it is whole."),
    ] = False,
) -> None:
    """Restore a backup to an installation that holds nothing and does not run.

    Every digest is compared before anything is written.
    Work that was not finished is finished after the next `cvms up`.

    Example: cvms restore /srv/backup/monday.tar
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import backups

    if check:
        backups.check(path)
        return
    backups.restore(settings.load(), path)
