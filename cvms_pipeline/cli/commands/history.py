"""What has happened: uploads, upload, report, recipients, messages, audit.

Only names, options and help texts; the work is imported when it is asked for.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from cvms_pipeline.cli.commands import options

_STANDARD_OUTPUT = Path("-")
_SORTS = "last_name, first_name, birth_date, email, username or loaded_at."


def uploads(
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="SLUG", help="Only its uploads.")
    ] = None,
    limit: options.Limit = 20,
    json: options.Json = False,
) -> None:
    """List the latest uploads with their counts, the latest first.

    Example: cvms uploads --provider mercy-hospital
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import history

    history.uploads(settings.load(), provider=provider, limit=limit, as_json=json)


def upload(upload_id: options.UploadId, json: options.Json = False) -> None:
    """Show one upload: its counts, and each rejected row with its reasons.

    Example: cvms upload 20250315-093012-k7m2p9xw
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import history

    history.upload(settings.load(), upload_id, as_json=json)


def report(
    upload_id: options.UploadId,
    path: Annotated[
        Path, typer.Argument(help="The new file; by default, or -, standard output.")
    ] = _STANDARD_OUTPUT,
    force: options.Force = False,
) -> None:
    """Write an upload's error report again.

    Example: cvms report 20250315-093012-k7m2p9xw BulkError.csv
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import history

    history.report(settings.load(), upload_id, path, force=force)


def recipients(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]...", help="How names begin; all must match."),
    ] = None,
    sort: Annotated[str, typer.Option(metavar="COLUMN", help=_SORTS)] = "last_name",
    desc: Annotated[bool, typer.Option("--desc", help="The last one first.")] = False,
    limit: options.Limit = 50,
    json: options.Json = False,
) -> None:
    """Search recipients: every word must start a first or a last name.

    Example: cvms recipients ann "o'd" --sort birth_date --limit 10
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import searching

    search = searching.Search(
        words=tuple(words or ()), sort=sort, is_descending=desc, limit=limit
    )
    searching.recipients(settings.load(), search, as_json=json)


def messages(
    upload: Annotated[
        str | None, typer.Option("--upload", metavar="ID", help="Only of this upload.")
    ] = None,
    unsent: Annotated[
        bool, typer.Option("--unsent", help="Only those still to be sent.")
    ] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="Only those refused for good.")
    ] = False,
    limit: options.Limit = 50,
    json: options.Json = False,
) -> None:
    """List messages with their status, the latest first; addresses are masked.

    Example: cvms messages --unsent
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import searching
    from cvms_pipeline.store import outbox

    asked = {outbox.Status.WAITING: unsent, outbox.Status.REFUSED: refused}
    searching.messages(
        settings.load(),
        upload_id=upload,
        statuses=[status for status, is_asked in asked.items() if is_asked],
        limit=limit,
        as_json=json,
    )


def audit(
    upload: Annotated[
        str | None, typer.Option("--upload", metavar="ID", help="Only this upload.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="SLUG", help="Only this one.")
    ] = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(metavar="WHEN", help="As 2025-03-15 or 2025-03-15T09:30:00."),
    ] = None,
    limit: options.Limit = 50,
    json: options.Json = False,
) -> None:
    """List who did what, the latest first: uploads, providers, retention, reading.

    Example: cvms audit --provider mercy-hospital --since 2025-03-15
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import auditing

    wanted = auditing.Wanted(
        upload_id=upload, provider=provider, since=since, limit=limit
    )
    auditing.show(settings.load(), wanted, as_json=json)
