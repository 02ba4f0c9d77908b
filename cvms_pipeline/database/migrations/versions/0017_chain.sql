-- A rejected row is outstanding until an upload brings it back or a person dismisses it.
-- Whether the rows of earlier uploads were sent again is not known: they are not.
ALTER TABLE cvms.rejected_rows
    ADD COLUMN IF NOT EXISTS is_outstanding boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS brought_back_by text,
    ADD COLUMN IF NOT EXISTS brought_back_line integer,
    ADD COLUMN IF NOT EXISTS dismissed_why text;
ALTER TABLE cvms.rejected_rows
    ALTER COLUMN is_outstanding SET DEFAULT true,
    DROP CONSTRAINT IF EXISTS ck_rejected_rows_settled,
    ADD CONSTRAINT ck_rejected_rows_settled CHECK (
        NOT is_outstanding OR brought_back_by IS NULL AND dismissed_why IS NULL
    ),
    DROP CONSTRAINT IF EXISTS ck_rejected_rows_brought_back,
    ADD CONSTRAINT ck_rejected_rows_brought_back CHECK (
        (brought_back_by IS NULL) = (brought_back_line IS NULL)
    );

-- Counted, so that nobody reads rows to know whether there are any; and the ids of the
-- uploads of which rows were brought back, and that brought back rows.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS outstanding integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS dismissed integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS parents text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS children text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT IF EXISTS ck_uploads_outstanding,
    ADD CONSTRAINT ck_uploads_outstanding CHECK (
        outstanding >= 0 AND dismissed >= 0 AND outstanding + dismissed <= rejected
    );
CREATE INDEX IF NOT EXISTS ix_uploads_outstanding
    ON cvms.uploads (provider, received_at)
    WHERE outstanding > 0;

ALTER TABLE cvms.audit
    DROP CONSTRAINT ck_audit_event,
    ADD CONSTRAINT ck_audit_event CHECK (
        event IN (
            'upload-claimed', 'upload-loaded', 'upload-refused', 'upload-failed',
            'upload-rerun', 'recipients-updated', 'rejected-rows-purged',
            'file-removed', 'retention', 'provider-added', 'provider-changed',
            'provider-enabled', 'provider-disabled', 'report-read',
            'recipients-read', 'messages-resent', 'backup-made', 'backup-restored',
            'logged-in', 'log-in-refused', 'logged-out', 'link-queued',
            'password-set', 'second-factor-added', 'second-factor-removed',
            'account-added', 'account-disabled', 'account-enabled',
            'sessions-ended', 'dagster-changed', 'file-reviewed', 'review-removed',
            'rows-dismissed'
        )
    );

CREATE OR REPLACE FUNCTION cvms.audit_dismissal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'rows-dismissed', NEW.id, NEW.provider,
        jsonb_build_object('rows', NEW.dismissed - OLD.dismissed)
    );
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER audit_dismissal AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (NEW.dismissed > OLD.dismissed)
    EXECUTE FUNCTION cvms.audit_dismissal();
