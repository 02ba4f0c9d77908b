"""Counting once more, from the rows themselves, what an upload has left behind.

The counts of an upload are written with its outcome; these are their evidence.
"""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from cvms_pipeline.store import outbox, tables

_LINES = (tables.recipients, tables.recipient_changes, tables.rejected_rows)


def accounted_for(conn: sa.Connection, upload_id: str) -> int:
    """Return how many lines of an upload loaded, corrected or were rejected.

    Rejected rows that were purged are those that the upload's count tells of.
    """
    counts = [
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.c.upload_id == upload_id)
        .scalar_subquery()
        for table in _LINES
    ]
    uploads = tables.uploads
    purged = sa.select(uploads.c.rejected).where(
        uploads.c.id == upload_id, uploads.c.purged_at.is_not(None)
    )
    known = sa.func.coalesce(purged.scalar_subquery(), 0)
    return int(conn.scalars(sa.select(sum(counts, start=known))).one())


def messages(
    conn: sa.Connection, upload_id: str, kinds: Collection[outbox.Kind]
) -> Mapping[outbox.Status, int]:
    """Return how many messages of an upload there are in each status."""
    table = tables.messages
    query = (
        sa.select(table.c.status, sa.func.count())
        .where(table.c.upload_id == upload_id, table.c.kind.in_(kinds))
        .group_by(table.c.status)
    )
    return {outbox.Status(status): count for status, count in conn.execute(query)}
