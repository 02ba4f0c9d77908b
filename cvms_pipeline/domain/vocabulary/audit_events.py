"""The kinds of entries in the audit.

Only their names; `store.audit` writes the entries.
"""

import enum


class Event(enum.StrEnum):
    """A kind of entry in the audit."""

    UPLOAD_CLAIMED = "upload-claimed"
    FILE_REVIEWED = "file-reviewed"
    REVIEW_REMOVED = "review-removed"
    UPLOAD_LOADED = "upload-loaded"
    UPLOAD_REFUSED = "upload-refused"
    UPLOAD_FAILED = "upload-failed"
    UPLOAD_RERUN = "upload-rerun"
    RECIPIENTS_UPDATED = "recipients-updated"
    REJECTED_ROWS_PURGED = "rejected-rows-purged"
    FILE_REMOVED = "file-removed"
    RETENTION = "retention"
    PROVIDER_ADDED = "provider-added"
    PROVIDER_CHANGED = "provider-changed"
    PROVIDER_ENABLED = "provider-enabled"
    PROVIDER_DISABLED = "provider-disabled"
    REPORT_READ = "report-read"
    RECIPIENTS_READ = "recipients-read"
    MESSAGES_RESENT = "messages-resent"
    BACKUP_MADE = "backup-made"
    BACKUP_RESTORED = "backup-restored"
    LOGGED_IN = "logged-in"
    LOG_IN_REFUSED = "log-in-refused"
    LOGGED_OUT = "logged-out"
    LINK_QUEUED = "link-queued"
    PASSWORD_SET = "password-set"  # noqa: S105  # what happened, no password
    SECOND_FACTOR_ADDED = "second-factor-added"
    SECOND_FACTOR_REMOVED = "second-factor-removed"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    SESSIONS_ENDED = "sessions-ended"
    DAGSTER_CHANGED = "dagster-changed"
    ROWS_DISMISSED = "rows-dismissed"
    UPLOAD_WITHDRAWN = "upload-withdrawn"
    CASE_OPENED = "case-opened"
    CASE_CHANGED = "case-changed"
    CASE_READ = "case-read"
    CASE_FILE_READ = "case-file-read"
    CASE_FILE_LOADED = "case-file-loaded"
    CASES_ERASED = "cases-erased"
