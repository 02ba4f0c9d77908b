"""The tables of the help desk: cases, what happens to them, and their files.

Accounts are in another schema and may be removed: they are named by id, without a
foreign key.  A recipient may be taken out (`cvms.withdraw`), so it has none either.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import columns
from cvms_pipeline.domain.vocabulary import cases as vocabulary

_State = vocabulary.State
_NEVER = "'infinity'::timestamptz"
_IS_OPEN = "state IN ('new', 'in_progress', 'waiting_for_requester')"

cases = sa.Table(
    "cases",
    columns.METADATA,
    columns.identity("number", start=1001),
    *columns.required(sa.Text, "kind"),
    *columns.required(sa.Text, "state", default="'new'"),
    *columns.required(sa.SmallInteger, "priority", default="3"),
    *columns.required(sa.Integer, "version", default="1"),
    # Whose managers share the case; known once a provider asks, or was onboarded.
    sa.Column("provider", sa.Text, sa.ForeignKey("cvms.providers.slug")),
    *columns.required(sa.Text, "vfc_pin", "organisation"),
    *columns.required(columns.Uuid, "requester"),
    *columns.required(sa.Text, "requester_name", "requester_email"),
    *columns.optional(columns.Uuid, "assignee"),
    *columns.required(sa.Text, "assignee_name", default="''"),
    *columns.required(sa.Text, "key"),
    # What it is about.
    sa.Column("upload_id", sa.Text, sa.ForeignKey("cvms.uploads.id")),
    *columns.optional(sa.Integer, "line"),
    *columns.optional(columns.Uuid, "recipient_id"),
    *columns.required(columns.Moment, "opened_at"),
    *columns.optional(columns.Moment, "waiting_since", "resolved_at", "closed_at"),
    *columns.optional(columns.Moment, "erased_at"),
    columns.one_of("kind", vocabulary.Kind),
    columns.one_of("state", _State),
    *columns.checks(
        priority="priority BETWEEN 1 AND 4",
        waiting="waiting_since IS NULL OR state IN ('new', 'in_progress')",
        closed="(state = 'closed') = (closed_at IS NOT NULL)",
        resolved="resolved_at IS NULL OR state IN ('resolved', 'closed')",
        erased="erased_at IS NULL OR closed_at IS NOT NULL",
    ),
    sa.UniqueConstraint("requester", "key"),
    sa.Index(None, "requester", "number"),
    sa.Index(None, "provider", "number"),
    sa.Index(None, "upload_id"),
    sa.Index(None, "state", "number"),
    columns.index_where("ix_cases_assignee", "assignee", "number", rule=_IS_OPEN),
    columns.index_where(
        "ix_cases_unerased",
        "closed_at",
        rule="closed_at IS NOT NULL AND erased_at IS NULL",
    ),
    comment="Requests to the help desk, with whom and what they are about.",
)
queue_at = sa.func.coalesce(cases.c.waiting_since, sa.text(_NEVER))
"""Since when a case waits for staff; never, if it does not."""

sa.Index("ix_cases_queue", queue_at, cases.c.number, postgresql_where=sa.text(_IS_OPEN))

case_activity = sa.Table(
    "case_activity",
    columns.METADATA,
    columns.identity("id"),
    sa.Column("number", sa.BigInteger, sa.ForeignKey(cases.c.number), nullable=False),
    *columns.required(sa.Text, "action"),
    *columns.required(columns.Moment, "written_at"),
    *columns.required(columns.Uuid, "author"),
    *columns.required(sa.Text, "author_name"),
    *columns.required(sa.Boolean, "is_staff", "is_internal", default="false"),
    *columns.required(sa.Text, "text", default="''"),
    *columns.required(pg.JSONB, "details", default="'{}'"),
    *columns.optional(sa.Text, "key"),
    columns.one_of("action", vocabulary.Action),
    sa.Index(None, "number", "id"),
    columns.index_where(
        "uq_case_activity_key", "author", "key", rule="key IS NOT NULL", unique=True
    ),
    comment="What was said and done about a case; details hold codes and ids only.",
)

case_files = sa.Table(
    "case_files",
    columns.METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.ForeignKey(cases.c.number), nullable=False),
    *columns.required(sa.Text, "file_name", "sha256"),
    *columns.required(sa.BigInteger, "size"),
    *columns.required(columns.Moment, "added_at"),
    # Written before the upload: no foreign key.
    *columns.optional(sa.Text, "provider", "upload_id"),
    *columns.optional(columns.Moment, "loaded_at", "removed_at"),
    *columns.checks(
        loaded="(provider IS NULL) = (upload_id IS NULL)"
        " AND (loaded_at IS NULL OR upload_id IS NOT NULL)"
    ),
    sa.Index(None, "number"),
    columns.index_where(
        "uq_case_files_upload_id",
        "upload_id",
        rule="upload_id IS NOT NULL",
        unique=True,
    ),
    comment="Files of cases, and the upload that one was loaded as.",
)
