-- Who did what, and when. Triggers write it, so that nobody who changes a table, by
-- whatever way, can leave it out, and it is there exactly if the change is. It holds
-- ids, counts and codes; no name, no address, no cell.
CREATE TABLE cvms.audit (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_audit PRIMARY KEY,
    happened_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL
        DEFAULT coalesce(nullif(current_setting('cvms.actor', true), ''), 'unknown'),
    database_role text NOT NULL DEFAULT session_user,
    event text NOT NULL,
    upload_id text,
    provider text,
    run_id text,
    details jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT ck_audit_event CHECK (
        event IN (
            'upload-claimed', 'upload-loaded', 'upload-refused', 'upload-failed',
            'upload-rerun', 'recipients-updated', 'rejected-rows-purged',
            'file-removed', 'retention', 'provider-added', 'provider-changed',
            'provider-enabled', 'provider-disabled', 'report-read',
            'recipients-read', 'backup-made', 'backup-restored'
        )
    )
);
CREATE INDEX ix_audit_upload_id_id ON cvms.audit (upload_id, id);
CREATE INDEX ix_audit_provider_id ON cvms.audit (provider, id);
CREATE INDEX ix_audit_happened_at ON cvms.audit (happened_at);
CREATE UNIQUE INDEX uq_audit_rerun ON cvms.audit (upload_id, run_id)
    WHERE event = 'upload-rerun';
COMMENT ON TABLE cvms.audit IS
    'Who did what, and when; only ever appended to, and kept for good.';

-- Append only, for the owner too.
CREATE FUNCTION cvms.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'the audit is only appended to',
        ERRCODE = 'integrity_constraint_violation',
        TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'audit_append_only';
END
$$;
CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON cvms.audit
    FOR EACH STATEMENT EXECUTE FUNCTION cvms.refuse_change();
ALTER TABLE cvms.audit ENABLE ALWAYS TRIGGER append_only;

-- Uploads: claimed, then decided, failed or run again, and at last purged.
CREATE FUNCTION cvms.audit_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'upload-claimed', NEW.id, NEW.provider,
        jsonb_strip_nulls(jsonb_build_object(
            'lane', NEW.lane, 'bytes', NEW.size, 'refusal', NEW.claim_refusal,
            'same_bytes_as', NEW.parent_upload
        ))
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_claim AFTER INSERT ON cvms.uploads
    FOR EACH ROW EXECUTE FUNCTION cvms.audit_claim();

CREATE FUNCTION cvms.audit_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.refusal_code IS NULL THEN
        INSERT INTO cvms.audit (event, upload_id, provider, run_id, details)
        VALUES (
            'upload-loaded', NEW.id, NEW.provider, NEW.run_id,
            jsonb_build_object(
                'rows', NEW.rows, 'loaded', NEW.loaded, 'updated', NEW.updated,
                'rejected', NEW.rejected
            )
        );
    ELSE
        INSERT INTO cvms.audit (event, upload_id, provider, run_id, details)
        VALUES (
            'upload-refused', NEW.id, NEW.provider, NEW.run_id,
            jsonb_build_object('refusal', NEW.refusal_code)
        );
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_decision AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (OLD.decided_at IS NULL AND NEW.decided_at IS NOT NULL)
    EXECUTE FUNCTION cvms.audit_decision();

CREATE FUNCTION cvms.audit_failure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, run_id)
    VALUES ('upload-failed', NEW.id, NEW.provider, NEW.run_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_failure AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (OLD.failed_at IS NULL AND NEW.failed_at IS NOT NULL)
    EXECUTE FUNCTION cvms.audit_failure();

CREATE FUNCTION cvms.audit_rerun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, run_id, details)
    VALUES (
        'upload-rerun', NEW.id, NEW.provider, NEW.run_id,
        jsonb_build_object('earlier_run', OLD.run_id)
    )
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_rerun AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (OLD.run_id <> NEW.run_id)
    EXECUTE FUNCTION cvms.audit_rerun();

CREATE FUNCTION cvms.audit_purge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'rejected-rows-purged', NEW.id, NEW.provider,
        jsonb_build_object('rows', NEW.rejected)
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_purge AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL)
    EXECUTE FUNCTION cvms.audit_purge();

-- E-mail corrections: one entry an upload; recipient_changes has each of them.
CREATE FUNCTION cvms.audit_updates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, run_id, details)
    SELECT
        'recipients-updated', upload.id, upload.provider, upload.run_id,
        jsonb_build_object('updated', count(*))
    FROM changed
    INNER JOIN cvms.uploads AS upload ON changed.upload_id = upload.id
    GROUP BY upload.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_updates AFTER INSERT ON cvms.recipient_changes
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION cvms.audit_updates();

-- Providers; the count of their recipients is no change of theirs.
CREATE FUNCTION cvms.audit_provider() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed text[] := '{}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cvms.audit (event, provider)
        VALUES ('provider-added', NEW.slug);
        RETURN NULL;
    END IF;
    IF OLD.is_enabled <> NEW.is_enabled THEN
        INSERT INTO cvms.audit (event, provider)
        VALUES (
            CASE WHEN NEW.is_enabled THEN 'provider-enabled' ELSE 'provider-disabled' END,
            NEW.slug
        );
    END IF;
    SELECT array_agg(facts.name) INTO changed
    FROM (
        VALUES ('slug', OLD.slug <> NEW.slug),
            ('name', OLD.name <> NEW.name),
            ('vfc_pin', OLD.vfc_pin <> NEW.vfc_pin),
            ('emails', OLD.emails <> NEW.emails)
    ) AS facts (name, is_changed)
    WHERE facts.is_changed;
    IF changed IS NOT NULL THEN
        INSERT INTO cvms.audit (event, provider, details)
        VALUES ('provider-changed', NEW.slug, jsonb_build_object('changed', changed));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_provider_added AFTER INSERT ON cvms.providers
    FOR EACH ROW EXECUTE FUNCTION cvms.audit_provider();
CREATE TRIGGER audit_provider_changed AFTER UPDATE ON cvms.providers
    FOR EACH ROW WHEN (
        (OLD.slug, OLD.name, OLD.vfc_pin, OLD.emails, OLD.is_enabled)
        IS DISTINCT FROM
        (NEW.slug, NEW.name, NEW.vfc_pin, NEW.emails, NEW.is_enabled)
    )
    EXECUTE FUNCTION cvms.audit_provider();
