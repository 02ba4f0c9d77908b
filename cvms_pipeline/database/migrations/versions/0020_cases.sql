-- The help desk. The table of cases was never written: it is made anew.
DROP TABLE IF EXISTS cvms.case_files, cvms.case_activity, cvms.cases;

CREATE TABLE cvms.cases (
    number bigint GENERATED ALWAYS AS IDENTITY (START WITH 1001)
        CONSTRAINT pk_cases PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'new',
    priority smallint NOT NULL DEFAULT 3,
    version integer NOT NULL DEFAULT 1,
    provider text CONSTRAINT fk_cases_provider REFERENCES cvms.providers (slug),
    vfc_pin text NOT NULL,
    organisation text NOT NULL,
    requester uuid NOT NULL,
    requester_name text NOT NULL,
    requester_email text NOT NULL,
    assignee uuid,
    assignee_name text NOT NULL DEFAULT '',
    key text NOT NULL,
    upload_id text CONSTRAINT fk_cases_upload_id REFERENCES cvms.uploads (id),
    line integer,
    recipient_id uuid,
    opened_at timestamptz NOT NULL,
    waiting_since timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT ck_cases_kind CHECK (kind IN ('bulk_upload', 'onboarding', 'removal')),
    CONSTRAINT ck_cases_state CHECK (
        state IN ('new', 'in_progress', 'waiting_for_requester', 'resolved', 'closed')
    ),
    CONSTRAINT ck_cases_priority CHECK (priority BETWEEN 1 AND 4),
    CONSTRAINT ck_cases_waiting CHECK (
        waiting_since IS NULL OR state IN ('new', 'in_progress')
    ),
    CONSTRAINT ck_cases_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT ck_cases_resolved CHECK (
        resolved_at IS NULL OR state IN ('resolved', 'closed')
    ),
    CONSTRAINT ck_cases_erased CHECK (erased_at IS NULL OR closed_at IS NOT NULL),
    CONSTRAINT uq_cases_requester_key UNIQUE (requester, key)
);
CREATE INDEX ix_cases_requester_number ON cvms.cases (requester, number);
CREATE INDEX ix_cases_provider_number ON cvms.cases (provider, number);
CREATE INDEX ix_cases_upload_id ON cvms.cases (upload_id);
CREATE INDEX ix_cases_state_number ON cvms.cases (state, number);
CREATE INDEX ix_cases_assignee ON cvms.cases (assignee, number)
    WHERE state IN ('new', 'in_progress', 'waiting_for_requester');
CREATE INDEX ix_cases_unerased ON cvms.cases (closed_at)
    WHERE closed_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX ix_cases_queue
    ON cvms.cases (coalesce(waiting_since, 'infinity'::timestamptz), number)
    WHERE state IN ('new', 'in_progress', 'waiting_for_requester');
COMMENT ON TABLE cvms.cases IS
    'Requests to the help desk, with whom and what they are about.';

CREATE TABLE cvms.case_activity (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_case_activity PRIMARY KEY,
    number bigint NOT NULL
        CONSTRAINT fk_case_activity_number REFERENCES cvms.cases (number),
    action text NOT NULL,
    written_at timestamptz NOT NULL,
    author uuid NOT NULL,
    author_name text NOT NULL,
    is_staff boolean NOT NULL DEFAULT false,
    is_internal boolean NOT NULL DEFAULT false,
    text text NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}',
    key text,
    CONSTRAINT ck_case_activity_action CHECK (
        action IN (
            'opened', 'replied', 'noted', 'file_added', 'state_changed',
            'priority_changed', 'assigned', 'loaded', 'provider_added',
            'onboarding_refused', 'removal_asked', 'removed'
        )
    )
);
CREATE INDEX ix_case_activity_number_id ON cvms.case_activity (number, id);
CREATE UNIQUE INDEX uq_case_activity_key ON cvms.case_activity (author, key)
    WHERE key IS NOT NULL;
COMMENT ON TABLE cvms.case_activity IS
    'What was said and done about a case; details hold codes and ids only.';

CREATE TABLE cvms.case_files (
    id text CONSTRAINT pk_case_files PRIMARY KEY,
    number bigint NOT NULL
        CONSTRAINT fk_case_files_number REFERENCES cvms.cases (number),
    file_name text NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    added_at timestamptz NOT NULL,
    provider text,
    upload_id text,
    loaded_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT ck_case_files_loaded CHECK (
        (provider IS NULL) = (upload_id IS NULL)
        AND (loaded_at IS NULL OR upload_id IS NOT NULL)
    )
);
CREATE INDEX ix_case_files_number ON cvms.case_files (number);
CREATE UNIQUE INDEX uq_case_files_upload_id ON cvms.case_files (upload_id)
    WHERE upload_id IS NOT NULL;
COMMENT ON TABLE cvms.case_files IS
    'Files of cases, and the upload that one was loaded as.';

-- Messages about a case.
ALTER TABLE cvms.messages
    DROP CONSTRAINT ck_messages_kind,
    ADD CONSTRAINT ck_messages_kind CHECK (
        kind IN (
            'notice', 'invitation', 'alert', 'refused-addresses', 'account', 'delay',
            'case'
        )
    );

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
            'rows-dismissed', 'upload-withdrawn', 'case-opened', 'case-changed',
            'case-read', 'case-file-read', 'case-file-loaded', 'cases-erased'
        )
    );

CREATE OR REPLACE FUNCTION cvms.audit_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_facts jsonb := '{}';
    facts jsonb := jsonb_build_object('case', NEW.number);
    name text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cvms.audit (event, provider, details)
        VALUES (
            'case-opened', NEW.provider,
            facts || jsonb_build_object('kind', NEW.kind, 'requester', NEW.requester)
        );
        RETURN NULL;
    END IF;
    old_facts := to_jsonb(OLD);
    FOREACH name IN ARRAY ARRAY['state', 'priority', 'assignee', 'provider'] LOOP
        IF old_facts -> name IS DISTINCT FROM to_jsonb(NEW) -> name THEN
            facts := facts || jsonb_build_object(
                name,
                jsonb_build_object(
                    'from', old_facts -> name, 'to', to_jsonb(NEW) -> name
                )
            );
        END IF;
    END LOOP;
    INSERT INTO cvms.audit (event, provider, details)
    VALUES ('case-changed', NEW.provider, facts);
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_case_opened AFTER INSERT ON cvms.cases
    FOR EACH ROW EXECUTE FUNCTION cvms.audit_case();
CREATE TRIGGER audit_case_changed AFTER UPDATE ON cvms.cases
    FOR EACH ROW WHEN (
        (OLD.state, OLD.priority, OLD.assignee, OLD.provider)
        IS DISTINCT FROM (NEW.state, NEW.priority, NEW.assignee, NEW.provider)
    )
    EXECUTE FUNCTION cvms.audit_case();

-- What changes no column of the case: that it was answered, or got a note or a file.
CREATE OR REPLACE FUNCTION cvms.audit_case_activity() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, details)
    VALUES (
        'case-changed',
        jsonb_build_object('case', NEW.number, 'action', NEW.action) || NEW.details
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_case_activity AFTER INSERT ON cvms.case_activity
    FOR EACH ROW WHEN (
        NEW.action NOT IN (
            'opened', 'state_changed', 'priority_changed', 'assigned', 'loaded'
        )
    )
    EXECUTE FUNCTION cvms.audit_case_activity();

CREATE OR REPLACE FUNCTION cvms.audit_case_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'case-file-loaded', NEW.upload_id, NEW.provider,
        jsonb_build_object('case', NEW.number, 'file', NEW.id)
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_case_file AFTER UPDATE ON cvms.case_files
    FOR EACH ROW WHEN (OLD.loaded_at IS NULL AND NEW.loaded_at IS NOT NULL)
    EXECUTE FUNCTION cvms.audit_case_file();
