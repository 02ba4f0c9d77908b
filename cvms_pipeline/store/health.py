"""What waits in the tables: uploads not finished, messages not sent or refused.

Numbers only, each from an index, so that they can be asked for every few seconds.
What our neighbours' tables tell is `neighbours`; what is too much, `ingest.health`.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from cvms_pipeline.store import engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What still has to be done.

    Attributes:
        uploads_waiting: Uploads that are registered and neither finished nor failed.
        oldest_upload: The one that has waited longest, or None.
        oldest_upload_at: When it was received.
        uploads_failed: Uploads whose last run has failed.
        messages_unsent: Messages that still have to go out.
        oldest_message_at: When the one that has waited longest was queued.
        notices_refused: Notices that the mail server has refused for good, to
            addresses that their providers still have.
        invitations_refused: The same of invitations and recipients.
        alerts_refused: Messages to data-ops that it has refused for good.
    """

    uploads_waiting: int
    oldest_upload: str | None
    oldest_upload_at: dt.datetime | None
    uploads_failed: int
    messages_unsent: int
    oldest_message_at: dt.datetime | None
    notices_refused: int = 0
    invitations_refused: int = 0
    alerts_refused: int = 0


def backlog(conn: sa.Connection) -> Backlog:
    """Return what still has to be done."""
    row = conn.execute(engine.statement("count_backlog")).one()
    return Backlog(**row._mapping)
