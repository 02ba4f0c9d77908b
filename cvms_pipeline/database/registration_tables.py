"""The tables of the recipients' registrations: forms that were sent, and drafts.

They hold what only their owner may read, so they are apart from the recipients.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import columns


def _recipient_id() -> sa.Column[str]:
    """Return the primary key: the recipient, with whom the row is deleted."""
    whose = sa.ForeignKey("cvms.recipients.id", ondelete="CASCADE")
    return sa.Column("recipient_id", columns.Uuid, whose, primary_key=True)


registrations = sa.Table(
    "registrations",
    columns.METADATA,
    _recipient_id(),
    *columns.required(sa.Text, "phone", "address_1", "address_2", "city", "state"),
    *columns.required(sa.Text, "zip", "county", "sex", "ethnicity", "language"),
    *columns.required(sa.Text, "vaccine_group"),
    *columns.required(columns.Texts, "races"),
    *columns.required(columns.Moment, "sent_at"),
    *columns.optional(columns.Moment, "changed_at"),
    comment="What recipients have answered in the form, once sent; only its owner reads"
    " it.",
)

registration_drafts = sa.Table(
    "registration_drafts",
    columns.METADATA,
    _recipient_id(),
    *columns.required(sa.Text, "step"),
    *columns.required(pg.JSONB, "answers"),
    *columns.required(columns.Moment, "saved_at"),
    sa.Index(None, "saved_at"),
    comment="Forms that were paused, until they are sent or too old.",
)
