"""The tables as they are now.

The revisions that lead to them are in `migrations`; a test compares the two.  Names
of people are compared by `*_key` columns in collation C: by code point, so that one
index serves both equality and prefixes, on every system alike.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.database import case_tables, columns, registration_tables
from cvms_pipeline.domain.vocabulary import audit_events, message_kinds, upload

METADATA = columns.METADATA

PERSON_CONSTRAINTS = ("recipients_match_key", "uq_recipients_username")
"""Of two transactions that store one person or username, one violates one of these."""

_Key, _Uuid, _Moment, _Texts = columns.Key, columns.Uuid, columns.Moment, columns.Texts
_required, _optional = columns.required, columns.optional
_new_id, _identity = columns.new_id, columns.identity
_one_of, _checks, _index_where = columns.one_of, columns.checks, columns.index_where

providers = sa.Table(
    "providers",
    METADATA,
    sa.Column("slug", sa.Text, primary_key=True),
    *_required(sa.Text, "name", "vfc_pin"),
    *_required(_Texts, "emails"),
    *_required(sa.Boolean, "is_enabled", default="true"),
    # Of those loaded; a trigger on recipients counts the other two (revision 0023).
    *_required(sa.BigInteger, "recipients", default="0"),
    *_required(sa.BigInteger, "passwords_set", "registered", default="0"),
    *_required(_Moment, "created_at"),
    *_checks(
        vfc_pin="vfc_pin ~ '^(NCA[0-9]{6}|VAC2021)$'", emails="cardinality(emails) > 0"
    ),
    comment="Who uploads; recipients counts those loaded, so that no one counts rows.",
)

uploads = sa.Table(
    "uploads",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    *_required(sa.Text, "folder", "lane", "file_name"),
    sa.Column("provider", sa.Text, sa.ForeignKey(providers.c.slug)),
    sa.Column("parent_upload", sa.Text, sa.ForeignKey("cvms.uploads.id")),
    *_optional(sa.Text, "sha256", "claim_refusal", "refusal_code", "refusal_message"),
    *_optional(sa.Text, "encoding", "delimiter", "rules_version", "run_id"),
    *_optional(sa.Text, "failed_run", "failed_step", "failure"),
    *_optional(sa.BigInteger, "size"),
    *_optional(pg.JSONB(none_as_null=True), "origin"),
    *_optional(sa.Integer, "refused_rows"),
    *_required(sa.Text, "status", default="'received'"),
    *_required(_Texts, "ignored_columns", "remarks", default="'{}'"),
    *_required(sa.Integer, "rows", "loaded", "updated", "rejected", default="0"),
    *_required(sa.Integer, "outstanding", "dismissed", default="0"),
    *_required(sa.Integer, "passwords_set", "registered", default="0"),
    *_required(_Texts, "parents", "children", default="'{}'"),
    *_required(pg.JSONB, "reasons", default="'{}'"),
    *_required(pg.JSONB, "possible_duplicates", default="'[]'"),
    *_required(_Moment, "received_at"),
    *_optional(_Moment, "requested_at", "started_at", "decided_at", "failed_at"),
    *_optional(_Moment, "finished_at", "purged_at"),
    *_optional(_Moment, "delayed_at", "delay_mailed_at", "withdrawn_at"),
    *_optional(sa.Text, "withdrawn_why"),
    *_required(sa.Text, "sent_from", default="'folder'"),
    *_optional(_Uuid, "sent_by"),  # an account of the portal, by value
    sa.UniqueConstraint("id", "provider"),
    _one_of("lane", upload.Lane),
    _one_of("sent_from", upload.Way),
    _one_of("status", upload.UploadStatus),
    *_checks(
        counts="rows = loaded + rejected",
        shares="rows >= 0 AND updated >= 0 AND updated <= loaded AND rejected >= 0",
        refusal="(refusal_code IS NULL) = (refusal_message IS NULL)"
        " AND (refusal_code IS NULL OR loaded = 0)",
        refused_rows="refused_rows IS NULL"
        " OR refused_rows >= 0 AND refusal_code IS NOT NULL",
        finished="(status IN ('completed', 'completed_with_errors', 'refused',"
        " 'withdrawn')) = (finished_at IS NOT NULL)",
        withdrawn="(withdrawn_at IS NULL) = (withdrawn_why IS NULL)"
        " AND (status <> 'withdrawn' OR withdrawn_at IS NOT NULL)",
        failed="(status = 'failed') = (failed_at IS NOT NULL)",
        decided="finished_at IS NULL OR decided_at IS NOT NULL",
        purged="purged_at IS NULL OR decided_at IS NOT NULL",
        sent_by="sent_by IS NULL OR sent_from <> 'folder'",
        outstanding="outstanding >= 0 AND dismissed >= 0"
        " AND outstanding + dismissed <= rejected",
    ),
    sa.Index(None, "status", "received_at"),
    sa.Index(None, "received_at"),
    sa.Index(None, "provider", "received_at"),
    sa.Index(None, "sha256", "provider"),
    _index_where(
        "ix_uploads_unpurged", "finished_at", rule="purged_at IS NULL AND rejected > 0"
    ),
    _index_where(
        "ix_uploads_outstanding", "provider", "received_at", rule="outstanding > 0"
    ),
    _index_where(
        "ix_uploads_withdrawn", "withdrawn_at", rule="withdrawn_at IS NOT NULL"
    ),
    _index_where("ix_uploads_with_people", "provider", "id", rule="loaded > updated"),
    comment="Every file ever received, its outcome and its counts; kept for good.",
)

recipients = sa.Table(
    "recipients",
    METADATA,
    _new_id(),
    *_required(sa.Text, "first_name", "last_name", "email", "provider", "upload_id"),
    *_required(sa.Date, "birth_date"),
    *_required(_Key, "first_key", "last_key", "username"),
    *_required(sa.Integer, "username_number", "source_line"),
    *_required(_Moment, "loaded_at"),
    # The address is as it is from the first password on.
    *_optional(_Moment, "password_set_at", "registered_at", "denied_at", "removed_at"),
    # The message with the newest link that went out, if that is not the invitation.
    *_optional(_Uuid, "link_id"),
    *_optional(sa.Text, "language"),
    # Triggers (revision 0006) check that the upload exists and is of that provider. A
    # foreign key would check it for each row, and all rows of an upload name the same
    # pair; a trigger checks it once a statement. That saves 19 ms of the server's time
    # for 5,000 rows. It refuses what the key refused, with the same SQLSTATE, but costs
    # 78 lines of SQL, and `\d` shows triggers instead of a key.
    # See docs/decisions/0016-checked-at-once.md
    sa.UniqueConstraint(
        "first_key", "last_key", "birth_date", name=PERSON_CONSTRAINTS[0]
    ),
    *_checks(username_number="username_number > 0"),
    # All of the match key: a plan that prefers it to the constraint's loses nothing.
    sa.Index("ix_recipients_last_key", "last_key", "first_key", "birth_date"),
    sa.Index(None, "birth_date"),
    # With the names, so that those of one provider are searched without its rows.
    sa.Index("ix_recipients_upload", "upload_id", "first_key", "last_key"),
    _index_where(
        "ix_recipients_with_password",
        *("provider", "registered_at"),
        rule="password_set_at IS NOT NULL",
    ),
    _index_where(
        "ix_recipients_password_set_at",
        "password_set_at",
        rule="password_set_at IS NOT NULL",
    ),
    _index_where(
        "ix_recipients_registered_at",
        "registered_at",
        rule="registered_at IS NOT NULL",
    ),
    _index_where("ix_recipients_denied", "provider", rule="denied_at IS NOT NULL"),
    # Deleted only by cvms.withdraw, while nobody has been invited.
    # Removed only by an approved removal: triggers (revision 0021) guard both.
    comment="The people to be vaccinated; one row a match key.",
)
sa.Index(PERSON_CONSTRAINTS[1], sa.func.lower(recipients.c.username), unique=True)
# Only people who share an e-mail address: finds the next number without counting.
sa.Index(
    "ix_recipients_shared_email",
    sa.func.lower(recipients.c.email),
    recipients.c.username_number,
    postgresql_where=recipients.c.username_number > 1,
)

recipient_changes = sa.Table(
    "recipient_changes",
    METADATA,
    _new_id(),
    sa.Column("recipient_id", _Uuid, sa.ForeignKey(recipients.c.id), nullable=False),
    sa.Column("upload_id", sa.Text, sa.ForeignKey(uploads.c.id), nullable=False),
    *_required(sa.Text, "old_email", "new_email", "old_username", "new_username"),
    *_required(sa.Integer, "source_line"),
    *_required(_Moment, "changed_at"),
    sa.UniqueConstraint("upload_id", "source_line"),
    sa.Index(None, "recipient_id"),
    comment="Every e-mail correction, so that what was told to whom can be retold.",
)

removals = sa.Table(
    "removals",
    METADATA,
    sa.Column(
        "recipient_id",
        _Uuid,
        sa.ForeignKey(recipients.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    *_required(sa.BigInteger, "case_number"),  # by value: a backup may be older
    *_required(_Uuid, "asked_by"),  # an account of the portal, by value
    *_required(_Moment, "asked_at"),
    *_optional(_Uuid, "approved_by"),
    *_optional(_Moment, "approved_at", "erased_at"),
    sa.UniqueConstraint("case_number"),
    *_checks(
        approved="(approved_by IS NULL) = (approved_at IS NULL)",
        two_people="approved_by <> asked_by",
        erased="erased_at IS NULL OR approved_at IS NOT NULL",
    ),
    _index_where(
        "ix_removals_unerased",
        "approved_at",
        rule="approved_at IS NOT NULL AND erased_at IS NULL",
    ),
    comment="Who is to be removed, and who was: asked by one account, approved by"
    " another.",
)

rejected_rows = sa.Table(
    "rejected_rows",
    METADATA,
    sa.Column("upload_id", sa.Text, sa.ForeignKey(uploads.c.id), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    *_required(sa.Text, "first_name", "last_name", "birth_date", "email", "message"),
    *_required(_Texts, "codes"),
    # Cells in no known column, as a list in JSON; empty without any.
    *_required(sa.Text, "extra_cells", default="''"),
    # For data-ops only: no report and no message contains it.
    sa.Column("matched_recipient", _Uuid, sa.ForeignKey(recipients.c.id)),
    # Until an upload brings it back or a person dismisses it:
    # docs/decisions/0026-chain.md
    *_required(sa.Boolean, "is_outstanding", default="true"),
    *_optional(sa.Text, "brought_back_by", "dismissed_why"),
    *_optional(sa.Integer, "brought_back_line"),
    *_checks(
        codes="cardinality(codes) > 0",
        settled="NOT is_outstanding"
        " OR brought_back_by IS NULL AND dismissed_why IS NULL",
        brought_back="(brought_back_by IS NULL) = (brought_back_line IS NULL)",
    ),
    _index_where(
        "ix_rejected_rows_matched",
        "matched_recipient",
        rule="matched_recipient IS NOT NULL",
    ),
    comment="The rows that were not loaded, as the provider wrote them, and why.",
)

messages = sa.Table(
    "messages",
    METADATA,
    _new_id(),
    *_required(_Key, "purpose"),
    *_required(sa.Text, "kind"),
    # No foreign keys: docs/decisions/0012-unchecked-messages.md
    *_optional(sa.Text, "upload_id", "last_error"),
    *_optional(_Uuid, "recipient_id"),
    *_required(_Texts, "addresses"),
    *_required(pg.JSONB, "details", default="'{}'"),
    *_required(sa.Text, "status", default="'waiting'"),
    *_required(sa.Integer, "attempts", default="0"),
    *_required(_Moment, "queued_at", "next_attempt_at"),
    *_optional(_Moment, "sent_at"),
    _one_of("kind", message_kinds.Kind),
    _one_of("status", ["waiting", "sent", "refused", "withdrawn"]),
    *_checks(
        sent="(status = 'sent') = (sent_at IS NOT NULL)",
        last_error="last_error ~ '^[A-Za-z0-9 ._:-]{1,80}$'",
    ),
    sa.Index(None, "upload_id"),
    # Invitations need no check: they have the id of their recipient or correction.
    _index_where(
        "uq_messages_purpose", "purpose", rule="kind <> 'invitation'", unique=True
    ),
    _index_where(
        "ix_messages_waiting", "kind", "next_attempt_at", rule="status = 'waiting'"
    ),
    _index_where("ix_messages_refused", "kind", rule="status = 'refused'"),
    # The first invitation of a recipient has the same id as its recipient.
    _index_where("ix_messages_recipient", "recipient_id", rule="recipient_id <> id"),
    comment="The outbox: what is to be told, once a purpose, until it has been sent.",
)

# With the provider that is noted with them: each sees its own refused addresses.
sa.Index(
    "ix_messages_refused_provider",
    messages.c.details["provider"].astext,
    messages.c.upload_id,
    postgresql_where=sa.text("status = 'refused' AND recipient_id IS NOT NULL"),
)

audit = sa.Table(
    "audit",
    METADATA,
    _identity("id"),
    *_required(_Moment, "happened_at", default="now()"),
    *_required(
        sa.Text,
        "actor",
        default="coalesce(nullif(current_setting('cvms.actor', true), ''), 'unknown')",
    ),
    *_required(sa.Text, "database_role", default="session_user"),
    *_required(sa.Text, "event"),
    # No foreign keys: an entry remains when what it is about is removed.
    *_optional(sa.Text, "upload_id", "provider", "run_id"),
    *_required(pg.JSONB, "details", default="'{}'"),
    _one_of("event", audit_events.Event),
    sa.Index(None, "upload_id", "id"),
    sa.Index(None, "provider", "id"),
    sa.Index(None, "happened_at"),
    _index_where(
        "uq_audit_rerun",
        "upload_id",
        "run_id",
        rule=f"event = '{audit_events.Event.UPLOAD_RERUN}'",
        unique=True,
    ),
    comment="Who did what, and when; only ever appended to, and kept for good.",
)

cases = case_tables.cases
case_activity = case_tables.case_activity
case_files = case_tables.case_files
registrations = registration_tables.registrations
registration_drafts = registration_tables.registration_drafts
