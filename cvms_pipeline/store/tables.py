"""The tables as they are now (DESIGN 8), for the modules beside this one.

How they came to be is `migrations`; a test compares the two.  Names of people are
compared by `*_key` columns in collation C: by code point, so that one index serves
both equality and prefixes, on every system alike.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from cvms_pipeline.domain import events, upload
from cvms_pipeline.store import engine

METADATA = sa.MetaData(
    schema=engine.SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    },
)

MATCH_KEY = "recipients_match_key"
USERNAME = "uq_recipients_username"
HAS_PURPOSE_ONCE = "kind <> 'invitation'"

_Text = sa.Text
_Key = sa.Text(collation="C")
_Uuid = sa.Uuid(as_uuid=False)
_Moment = sa.DateTime(timezone=True)
_Texts = pg.ARRAY(sa.Text)
_NEW_ID = sa.text("cvms.new_id()")
_NOTHING = sa.text("'{}'")
_ZERO = sa.text("0")


def _one_of(column: str, words: list[str]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


providers = sa.Table(
    "providers",
    METADATA,
    sa.Column("slug", _Text, primary_key=True),
    sa.Column("name", _Text, nullable=False),
    sa.Column("vfc_pin", _Text, nullable=False),
    sa.Column("emails", _Texts, nullable=False),
    sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("recipients", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("created_at", _Moment, nullable=False),
    sa.CheckConstraint("vfc_pin ~ '^(NCA[0-9]{6}|VAC2021)$'", name="vfc_pin"),
    sa.CheckConstraint("cardinality(emails) > 0", name="emails"),
    comment="Who uploads; recipients counts those loaded, so that no one counts rows.",
)

uploads = sa.Table(
    "uploads",
    METADATA,
    sa.Column("id", _Text, primary_key=True),
    sa.Column("folder", _Text, nullable=False),
    sa.Column("provider", _Text, sa.ForeignKey(providers.c.slug)),
    sa.Column("lane", _Text, nullable=False),
    sa.Column("file_name", _Text, nullable=False),
    sa.Column("sha256", _Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("claim_refusal", _Text),
    sa.Column("status", _Text, nullable=False, server_default=sa.text("'received'")),
    sa.Column("refusal_code", _Text),
    sa.Column("refusal_message", _Text),
    sa.Column("encoding", _Text),
    sa.Column("delimiter", _Text),
    sa.Column("ignored_columns", _Texts, nullable=False, server_default=_NOTHING),
    sa.Column("rows", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("loaded", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("updated", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("rejected", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("reasons", pg.JSONB, nullable=False, server_default=_NOTHING),
    sa.Column("received_at", _Moment, nullable=False),
    sa.Column("requested_at", _Moment),
    sa.Column("started_at", _Moment),
    sa.Column("decided_at", _Moment),
    sa.Column("failed_at", _Moment),
    sa.Column("finished_at", _Moment),
    sa.Column("parent_upload", _Text, sa.ForeignKey("cvms.uploads.id")),
    sa.Column("rules_version", _Text),
    sa.Column("run_id", _Text),
    sa.Column("purged_at", _Moment),
    sa.UniqueConstraint("id", "provider"),
    _one_of("lane", [lane.value for lane in upload.Lane]),
    _one_of("status", [status.value for status in upload.UploadStatus]),
    sa.CheckConstraint("rows = loaded + rejected", name="counts"),
    sa.CheckConstraint(
        "rows >= 0 AND updated >= 0 AND updated <= loaded AND rejected >= 0",
        name="shares",
    ),
    sa.CheckConstraint(
        "(refusal_code IS NULL) = (refusal_message IS NULL)"
        " AND (refusal_code IS NULL OR loaded = 0)",
        name="refusal",
    ),
    sa.CheckConstraint(
        "(status IN ('completed', 'completed_with_errors', 'refused'))"
        " = (finished_at IS NOT NULL)",
        name="finished",
    ),
    sa.CheckConstraint("(status = 'failed') = (failed_at IS NOT NULL)", name="failed"),
    sa.CheckConstraint("finished_at IS NULL OR decided_at IS NOT NULL", name="decided"),
    sa.CheckConstraint("purged_at IS NULL OR decided_at IS NOT NULL", name="purged"),
    sa.Index(None, "status", "received_at"),
    sa.Index(None, "received_at"),
    sa.Index(None, "provider", "received_at"),
    sa.Index(None, "sha256", "provider"),
    sa.Index(
        "ix_uploads_unpurged",
        "finished_at",
        postgresql_where=sa.text("purged_at IS NULL AND rejected > 0"),
    ),
    comment="Every file ever received, its outcome and its counts; kept for good.",
)

recipients = sa.Table(
    "recipients",
    METADATA,
    sa.Column("id", _Uuid, primary_key=True, server_default=_NEW_ID),
    sa.Column("first_name", _Text, nullable=False),
    sa.Column("last_name", _Text, nullable=False),
    sa.Column("birth_date", sa.Date, nullable=False),
    sa.Column("email", _Text, nullable=False),
    sa.Column("first_key", _Key, nullable=False),
    sa.Column("last_key", _Key, nullable=False),
    sa.Column("username", _Key, nullable=False),
    sa.Column("username_number", sa.Integer, nullable=False),
    sa.Column("provider", _Text, nullable=False),
    sa.Column("upload_id", _Text, nullable=False),
    sa.Column("source_line", sa.Integer, nullable=False),
    sa.Column("loaded_at", _Moment, nullable=False),
    sa.Column("registered_at", _Moment),
    sa.Column("removed_at", _Moment),
    sa.UniqueConstraint("first_key", "last_key", "birth_date", name=MATCH_KEY),
    # That the upload is there, and of that provider, triggers see to (revision 0006).
    sa.CheckConstraint("username_number > 0", name="username_number"),
    comment="The people to be vaccinated; one row a match key, never deleted.",
)
sa.Index(USERNAME, sa.func.lower(recipients.c.username), unique=True)
# All of the match key: a plan that prefers it to the constraint's loses nothing.
sa.Index(
    "ix_recipients_last_key",
    recipients.c.last_key,
    recipients.c.first_key,
    recipients.c.birth_date,
)
sa.Index("ix_recipients_birth_date", recipients.c.birth_date)
sa.Index("ix_recipients_upload_id", recipients.c.upload_id)
# Only who shares an e-mail address: finds the next number without counting.
sa.Index(
    "ix_recipients_shared_email",
    sa.func.lower(recipients.c.email),
    recipients.c.username_number,
    postgresql_where=recipients.c.username_number > 1,
)

recipient_changes = sa.Table(
    "recipient_changes",
    METADATA,
    sa.Column("id", _Uuid, primary_key=True, server_default=_NEW_ID),
    sa.Column("recipient_id", _Uuid, sa.ForeignKey(recipients.c.id), nullable=False),
    sa.Column("old_email", _Text, nullable=False),
    sa.Column("new_email", _Text, nullable=False),
    sa.Column("old_username", _Text, nullable=False),
    sa.Column("new_username", _Text, nullable=False),
    sa.Column("upload_id", _Text, sa.ForeignKey(uploads.c.id), nullable=False),
    sa.Column("source_line", sa.Integer, nullable=False),
    sa.Column("changed_at", _Moment, nullable=False),
    sa.UniqueConstraint("upload_id", "source_line"),
    sa.Index(None, "recipient_id"),
    comment="Every e-mail correction, so that what was told to whom can be retold.",
)

rejected_rows = sa.Table(
    "rejected_rows",
    METADATA,
    sa.Column("upload_id", _Text, sa.ForeignKey(uploads.c.id), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("first_name", _Text, nullable=False),
    sa.Column("last_name", _Text, nullable=False),
    sa.Column("birth_date", _Text, nullable=False),
    sa.Column("email", _Text, nullable=False),
    sa.Column("codes", _Texts, nullable=False),
    sa.Column("message", _Text, nullable=False),
    # For data-ops only: no report and no message ever tells it.
    sa.Column("matched_recipient", _Uuid, sa.ForeignKey(recipients.c.id)),
    sa.CheckConstraint("cardinality(codes) > 0", name="codes"),
    comment="The rows that were not loaded, as the provider wrote them, and why.",
)

messages = sa.Table(
    "messages",
    METADATA,
    sa.Column("id", _Uuid, primary_key=True, server_default=_NEW_ID),
    sa.Column("purpose", _Key, nullable=False),
    sa.Column("kind", _Text, nullable=False),
    # Looked up by nobody again: docs/decisions/0012-unchecked-messages.md
    sa.Column("upload_id", _Text),
    sa.Column("recipient_id", _Uuid),
    sa.Column("addresses", _Texts, nullable=False),
    sa.Column("details", pg.JSONB, nullable=False, server_default=_NOTHING),
    sa.Column("status", _Text, nullable=False, server_default=sa.text("'waiting'")),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("last_error", _Text),
    sa.Column("queued_at", _Moment, nullable=False),
    sa.Column("next_attempt_at", _Moment, nullable=False),
    sa.Column("sent_at", _Moment),
    _one_of("kind", ["notice", "invitation", "alert"]),
    _one_of("status", ["waiting", "sent", "refused", "withdrawn"]),
    sa.CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent"),
    sa.CheckConstraint("last_error ~ '^[A-Za-z0-9 ._:-]{1,80}$'", name="last_error"),
    sa.Index(None, "upload_id"),
    # An invitation has the id of what it tells of, a recipient or a correction.
    sa.Index(
        "uq_messages_purpose",
        "purpose",
        unique=True,
        postgresql_where=sa.text(HAS_PURPOSE_ONCE),
    ),
    sa.Index(
        "ix_messages_waiting",
        "kind",
        "next_attempt_at",
        postgresql_where=sa.text("status = 'waiting'"),
    ),
    sa.Index(
        "ix_messages_refused",
        "kind",
        postgresql_where=sa.text("status = 'refused'"),
    ),
    comment="The outbox: what is to be told, once a purpose, until it has been sent.",
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("happened_at", _Moment, nullable=False, server_default=sa.func.now()),
    sa.Column(
        "actor",
        _Text,
        nullable=False,
        server_default=sa.text(
            "coalesce(nullif(current_setting('cvms.actor', true), ''), 'unknown')"
        ),
    ),
    sa.Column(
        "database_role", _Text, nullable=False, server_default=sa.text("session_user")
    ),
    sa.Column("event", _Text, nullable=False),
    # Of nothing that is looked up again: an entry outlives what it tells of.
    sa.Column("upload_id", _Text),
    sa.Column("provider", _Text),
    sa.Column("run_id", _Text),
    sa.Column("details", pg.JSONB, nullable=False, server_default=_NOTHING),
    _one_of("event", [event.value for event in events.Event]),
    sa.Index(None, "upload_id", "id"),
    sa.Index(None, "provider", "id"),
    sa.Index(None, "happened_at"),
    comment="Who did what, and when; only ever appended to, and kept for good.",
)
sa.Index(
    "uq_audit_rerun",
    audit.c.upload_id,
    audit.c.run_id,
    unique=True,
    postgresql_where=audit.c.event == events.Event.UPLOAD_RERUN.value,
)

cases = sa.Table(
    "cases",
    METADATA,
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", _Text, nullable=False),
    sa.Column("status", _Text, nullable=False, server_default=sa.text("'open'")),
    sa.Column("provider", _Text, sa.ForeignKey(providers.c.slug)),
    sa.Column("upload_id", _Text, sa.ForeignKey(uploads.c.id)),
    sa.Column("recipient_id", _Uuid, sa.ForeignKey(recipients.c.id)),
    sa.Column("opened_at", _Moment, nullable=False),
    sa.Column("closed_at", _Moment),
    _one_of("kind", ["bulk_upload", "removal"]),
    _one_of("status", ["open", "closed"]),
    sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    comment="Requests to the help desk, with the upload they are about.",
)
