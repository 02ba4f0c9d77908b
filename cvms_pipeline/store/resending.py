"""Sending again what a mail server has refused for good, when data-ops ask for it.

Only that; how messages are queued, claimed and noted is `outbox`.
"""

import datetime as dt
import uuid
from collections.abc import Collection

import sqlalchemy as sa

from cvms_pipeline import errors
from cvms_pipeline.store import engine


class NotRefused(errors.PermanentError):
    """There is no refused message with this id."""


def resend(
    conn: sa.Connection,
    message_ids: Collection[str],
    *,
    now: dt.datetime,
    data_ops: str,
) -> None:
    """Make refused messages due now, all of them or none.

    Notices go to the addresses that their provider has now, alerts to `data_ops`.

    Raises:
        NotRefused: If one of them is no message, or none that was refused.
    """
    asked = {_known(text) for text in message_ids}
    facts = {"message_ids": sorted(asked), "now": now, "data_ops": data_ops}
    found = set(conn.scalars(engine.statement("resend_messages"), facts))
    for other in sorted(asked - found):
        raise _not_refused(other)


def _known(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise _not_refused(text) from None


def _not_refused(text: str) -> NotRefused:
    return NotRefused(
        f"There is no refused message {text!r}, so nothing is sent again. See"
        " `cvms messages --refused`."
    )
