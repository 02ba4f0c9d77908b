-- A message of its own kind brings an account's link to set a password.
ALTER TABLE cvms.messages
    DROP CONSTRAINT ck_messages_kind,
    ADD CONSTRAINT ck_messages_kind CHECK (
        kind IN ('notice', 'invitation', 'alert', 'refused-addresses', 'account')
    );

-- Log-ins, good and bad, and everything that changes an account.
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
            'sessions-ended', 'dagster-changed'
        )
    );
