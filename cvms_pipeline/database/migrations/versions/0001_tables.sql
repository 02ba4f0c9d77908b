-- The first tables. Collation C: compared by code point, so that one index serves
-- equality and prefixes on every system alike.

-- Ids that cannot be guessed and yet go to the end of their index (RFC 9562,
-- version 7; Postgres has its own from version 18 on).
CREATE FUNCTION cvms.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(
                        int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                        FROM 3
                    )
                    FROM 1 FOR 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid
$$;

CREATE TABLE cvms.providers (
    slug text CONSTRAINT pk_providers PRIMARY KEY,
    name text NOT NULL,
    vfc_pin text NOT NULL,
    emails text[] NOT NULL,
    is_enabled boolean NOT NULL DEFAULT true,
    recipients bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    CONSTRAINT ck_providers_vfc_pin CHECK (vfc_pin ~ '^(NCA[0-9]{6}|VAC2021)$'),
    CONSTRAINT ck_providers_emails CHECK (cardinality(emails) > 0)
);
COMMENT ON TABLE cvms.providers IS
    'Who uploads; recipients counts those loaded, so that no one counts rows.';

CREATE TABLE cvms.uploads (
    id text CONSTRAINT pk_uploads PRIMARY KEY,
    folder text NOT NULL,
    provider text
        CONSTRAINT fk_uploads_provider REFERENCES cvms.providers (slug),
    lane text NOT NULL,
    file_name text NOT NULL,
    sha256 text,
    size bigint,
    claim_refusal text,
    status text NOT NULL DEFAULT 'received',
    refusal_code text,
    refusal_message text,
    encoding text,
    delimiter text,
    ignored_columns text[] NOT NULL DEFAULT '{}',
    rows integer NOT NULL DEFAULT 0,
    loaded integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}',
    received_at timestamptz NOT NULL,
    requested_at timestamptz,
    started_at timestamptz,
    decided_at timestamptz,
    failed_at timestamptz,
    finished_at timestamptz,
    parent_upload text
        CONSTRAINT fk_uploads_parent_upload REFERENCES cvms.uploads (id),
    rules_version text,
    run_id text,
    CONSTRAINT uq_uploads_id_provider UNIQUE (id, provider),
    CONSTRAINT ck_uploads_lane CHECK (lane IN ('low_volume', 'high_volume')),
    CONSTRAINT ck_uploads_status CHECK (
        status IN (
            'received', 'processing', 'completed', 'completed_with_errors',
            'refused', 'failed'
        )
    ),
    CONSTRAINT ck_uploads_counts CHECK (rows = loaded + rejected),
    CONSTRAINT ck_uploads_shares CHECK (
        rows >= 0 AND updated >= 0 AND updated <= loaded AND rejected >= 0
    ),
    CONSTRAINT ck_uploads_refusal CHECK (
        (refusal_code IS NULL) = (refusal_message IS NULL)
        AND (refusal_code IS NULL OR loaded = 0)
    ),
    CONSTRAINT ck_uploads_finished CHECK (
        (status IN ('completed', 'completed_with_errors', 'refused'))
        = (finished_at IS NOT NULL)
    ),
    CONSTRAINT ck_uploads_failed CHECK (
        (status = 'failed') = (failed_at IS NOT NULL)
    ),
    CONSTRAINT ck_uploads_decided CHECK (
        finished_at IS NULL OR decided_at IS NOT NULL
    )
);
CREATE INDEX ix_uploads_status_received_at ON cvms.uploads (status, received_at);
CREATE INDEX ix_uploads_received_at ON cvms.uploads (received_at);
CREATE INDEX ix_uploads_provider_received_at ON cvms.uploads (provider, received_at);
CREATE INDEX ix_uploads_sha256_provider ON cvms.uploads (sha256, provider);
COMMENT ON TABLE cvms.uploads IS
    'Every file ever received, its outcome and its counts; kept for good.';

CREATE TABLE cvms.recipients (
    id uuid CONSTRAINT pk_recipients PRIMARY KEY DEFAULT cvms.new_id(),
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date NOT NULL,
    email text NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    username text COLLATE "C" NOT NULL,
    username_number integer NOT NULL,
    provider text NOT NULL,
    upload_id text NOT NULL,
    source_line integer NOT NULL,
    loaded_at timestamptz NOT NULL,
    registered_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT recipients_match_key UNIQUE (first_key, last_key, birth_date),
    CONSTRAINT fk_recipients_upload_id_provider
        FOREIGN KEY (upload_id, provider) REFERENCES cvms.uploads (id, provider),
    CONSTRAINT ck_recipients_username_number CHECK (username_number > 0)
);
CREATE UNIQUE INDEX uq_recipients_username ON cvms.recipients (lower(username));
CREATE INDEX ix_recipients_last_key
    ON cvms.recipients (last_key, first_key, birth_date);
CREATE INDEX ix_recipients_birth_date ON cvms.recipients (birth_date);
CREATE INDEX ix_recipients_upload_id ON cvms.recipients (upload_id);
CREATE INDEX ix_recipients_shared_email
    ON cvms.recipients (lower(email), username_number) WHERE username_number > 1;
COMMENT ON TABLE cvms.recipients IS
    'The people to be vaccinated; one row a match key, never deleted.';

CREATE TABLE cvms.recipient_changes (
    id uuid CONSTRAINT pk_recipient_changes PRIMARY KEY DEFAULT cvms.new_id(),
    recipient_id uuid NOT NULL
        CONSTRAINT fk_recipient_changes_recipient_id REFERENCES cvms.recipients (id),
    old_email text NOT NULL,
    new_email text NOT NULL,
    old_username text NOT NULL,
    new_username text NOT NULL,
    upload_id text NOT NULL
        CONSTRAINT fk_recipient_changes_upload_id REFERENCES cvms.uploads (id),
    source_line integer NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT uq_recipient_changes_upload_id_source_line
        UNIQUE (upload_id, source_line)
);
CREATE INDEX ix_recipient_changes_recipient_id
    ON cvms.recipient_changes (recipient_id);
COMMENT ON TABLE cvms.recipient_changes IS
    'Every e-mail correction, so that what was told to whom can be retold.';

CREATE TABLE cvms.rejected_rows (
    upload_id text
        CONSTRAINT fk_rejected_rows_upload_id REFERENCES cvms.uploads (id),
    line integer,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date text NOT NULL,
    email text NOT NULL,
    codes text[] NOT NULL,
    message text NOT NULL,
    matched_recipient uuid
        CONSTRAINT fk_rejected_rows_matched_recipient REFERENCES cvms.recipients (id),
    CONSTRAINT pk_rejected_rows PRIMARY KEY (upload_id, line),
    CONSTRAINT ck_rejected_rows_codes CHECK (cardinality(codes) > 0)
);
COMMENT ON TABLE cvms.rejected_rows IS
    'The rows that were not loaded, as the provider wrote them, and why.';

CREATE TABLE cvms.messages (
    id uuid CONSTRAINT pk_messages PRIMARY KEY DEFAULT cvms.new_id(),
    purpose text COLLATE "C" NOT NULL CONSTRAINT uq_messages_purpose UNIQUE,
    kind text NOT NULL,
    upload_id text CONSTRAINT fk_messages_upload_id REFERENCES cvms.uploads (id),
    recipient_id uuid
        CONSTRAINT fk_messages_recipient_id REFERENCES cvms.recipients (id),
    addresses text[] NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'waiting',
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    queued_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    sent_at timestamptz,
    CONSTRAINT ck_messages_kind CHECK (kind IN ('notice', 'invitation', 'alert')),
    CONSTRAINT ck_messages_status CHECK (
        status IN ('waiting', 'sent', 'refused', 'withdrawn')
    ),
    CONSTRAINT ck_messages_sent CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT ck_messages_last_error CHECK (
        last_error ~ '^[A-Za-z0-9 ._:-]{1,80}$'
    )
);
CREATE INDEX ix_messages_upload_id ON cvms.messages (upload_id);
CREATE INDEX ix_messages_waiting
    ON cvms.messages (kind, next_attempt_at) WHERE status = 'waiting';
COMMENT ON TABLE cvms.messages IS
    'The outbox: what is to be told, once a purpose, until it has been sent.';

CREATE TABLE cvms.cases (
    number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_cases PRIMARY KEY,
    kind text NOT NULL,
    status text NOT NULL DEFAULT 'open',
    provider text CONSTRAINT fk_cases_provider REFERENCES cvms.providers (slug),
    upload_id text CONSTRAINT fk_cases_upload_id REFERENCES cvms.uploads (id),
    recipient_id uuid CONSTRAINT fk_cases_recipient_id REFERENCES cvms.recipients (id),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT ck_cases_kind CHECK (kind IN ('bulk_upload', 'removal')),
    CONSTRAINT ck_cases_status CHECK (status IN ('open', 'closed')),
    CONSTRAINT ck_cases_closed CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
COMMENT ON TABLE cvms.cases IS
    'Requests to the help desk, with the upload they are about.';
