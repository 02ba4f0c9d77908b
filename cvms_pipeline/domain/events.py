"""What the audit tells of: the kinds of its entries, each with a sentence.

Only their names; who writes them, and when, is the store's.
"""

import enum


class Event(enum.StrEnum):
    """A kind of entry in the audit."""

    UPLOAD_CLAIMED = "upload-claimed"
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
    BACKUP_MADE = "backup-made"
    BACKUP_RESTORED = "backup-restored"
