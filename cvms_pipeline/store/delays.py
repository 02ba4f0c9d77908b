"""Uploads that take long, and what records that their providers were told.

What they are told is `mail.advice`, and after how long is decided by the caller.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.database import engine

_statement = engine.load_statements(__package__)
_MAX_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedUpload:
    """An upload of which the provider does not know the outcome."""

    id: str
    folder: str
    file_name: str
    received_at: dt.datetime


def take_delayed(
    conn: sa.Connection, *, before: dt.datetime, now: dt.datetime
) -> Sequence[DelayedUpload]:
    """Return up to 100 uploads received before a moment, and record that as told.

    Each upload is returned once.  None of them is decided before the transaction ends.
    """
    values = {"before": before, "now": now, "limit": _MAX_BATCH}
    rows = conn.execute(_statement("take_delayed"), values)
    return [DelayedUpload(**row._mapping) for row in rows]


def queue_mails(conn: sa.Connection, *, before: dt.datetime, now: dt.datetime) -> None:
    """Queue messages about the uploads that were received before a moment.

    Each upload is in one message, and a provider gets one for all of them.
    """
    values = {"before": before, "now": now, "limit": _MAX_BATCH}
    conn.execute(_statement("queue_delay_mails"), values)
