"""Mending what went wrong outside: resend.

Only names, options and help texts; the work is imported when it is asked for.
"""

from typing import Annotated

import typer

from cvms_pipeline.cli.commands import options


def resend(
    message_ids: Annotated[
        list[str],
        typer.Argument(metavar="MESSAGE...", help="Ids of `messages --refused`."),
    ],
    json: options.Json = False,
) -> None:
    """Send messages again that the mail server has refused, once the cause is mended.

    Notices go to the addresses that the provider has now: all are sent, or none.

    Example: cvms resend 0195a6a0-3f3e-7cc1-8a4e-0d5f1f6b9c1d
    """
    from cvms_pipeline import settings
    from cvms_pipeline.cli import resending

    resending.resend(settings.load(), message_ids, as_json=json)
