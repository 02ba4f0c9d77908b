-- How an upload came: dropped into a folder, or sent by a page, then by which account.
-- Accounts are in another schema and may be removed: there is no foreign key.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS sent_from text NOT NULL DEFAULT 'folder',
    ADD COLUMN IF NOT EXISTS sent_by uuid,
    DROP CONSTRAINT IF EXISTS ck_uploads_sent_from,
    ADD CONSTRAINT ck_uploads_sent_from CHECK (
        sent_from IN ('folder', 'portal', 'help_desk')
    ),
    DROP CONSTRAINT IF EXISTS ck_uploads_sent_by,
    ADD CONSTRAINT ck_uploads_sent_by CHECK (
        sent_by IS NULL OR sent_from <> 'folder'
    );

CREATE OR REPLACE FUNCTION cvms.audit_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'upload-claimed', NEW.id, NEW.provider,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', NEW.lane, 'bytes', NEW.size, 'refusal', NEW.claim_refusal,
            'same_bytes_as', NEW.parent_upload,
            'sent_from', nullif(NEW.sent_from, 'folder'), 'sent_by', NEW.sent_by
        ))
    );
    RETURN NULL;
END
$$;

-- Reviews of files in the portal: read, and removed again without being loaded.
ALTER TABLE cvms.audit
    DROP CONSTRAINT ck_audit_event,
    ADD CONSTRAINT ck_audit_event CHECK (
        event IN (
            'upload-claimed', 'upload-loaded', 'upload-refused', 'upload-failed',
            'upload-rerun', 'recipients-updated', 'rejected-rows-purged',
            'file-removed', 'retention', 'provider-added', 'provider-changed',
            'provider-enabled', 'provider-disabled', 'report-read',
            'recipients-read', 'backup-made', 'backup-restored',
            'logged-in', 'log-in-refused', 'logged-out', 'link-queued',
            'password-set', 'second-factor-added', 'second-factor-removed',
            'account-added', 'account-disabled', 'account-enabled',
            'sessions-ended', 'dagster-changed', 'file-reviewed', 'review-removed'
        )
    );
