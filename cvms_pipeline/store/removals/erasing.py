"""Erasing what is left of people who were removed some time ago.

What is erased, and in which order, is the function of the database (revision 0021)
that alone may change corrections and cells of rejected rows.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from cvms_pipeline.database import tables

_TABLE = tables.removals
_ERASE = sa.text("SELECT cvms.erase(:recipient_id, :now)")


def list_due(conn: sa.Connection, *, before: dt.datetime) -> Sequence[str]:
    """Return the recipients that were removed before a moment and are not erased."""
    is_due = (_TABLE.c.approved_at < before) & _TABLE.c.erased_at.is_(None)
    query = sa.select(_TABLE.c.recipient_id).where(is_due)
    return conn.scalars(query.order_by(_TABLE.c.approved_at)).all()


def erase(
    conn: sa.Connection, recipient_id: str, *, now: dt.datetime
) -> Sequence[str] | None:
    """Erase names, birth date and addresses of a removed recipient, once.

    Returns:
        The uploads of the rejected rows that were erased with them; None if nothing
        was to be erased.
    """
    values = {"recipient_id": recipient_id, "now": now}
    uploads: Sequence[str] | None = conn.scalar(_ERASE, values)
    return uploads
