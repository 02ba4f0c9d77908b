-- An upload can be withdrawn while all of its invitations wait: the people whom it has
-- loaded are taken out, its corrections are undone, and its rejected rows are no longer
-- outstanding.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS withdrawn_at timestamptz,
    ADD COLUMN IF NOT EXISTS withdrawn_why text,
    DROP CONSTRAINT ck_uploads_status,
    ADD CONSTRAINT ck_uploads_status CHECK (
        status IN (
            'received', 'processing', 'completed', 'completed_with_errors',
            'refused', 'failed', 'withdrawn'
        )
    ),
    DROP CONSTRAINT ck_uploads_finished,
    ADD CONSTRAINT ck_uploads_finished CHECK (
        (status IN ('completed', 'completed_with_errors', 'refused', 'withdrawn'))
        = (finished_at IS NOT NULL)
    ),
    DROP CONSTRAINT IF EXISTS ck_uploads_withdrawn,
    ADD CONSTRAINT ck_uploads_withdrawn CHECK (
        (withdrawn_at IS NULL) = (withdrawn_why IS NULL)
        AND (status <> 'withdrawn' OR withdrawn_at IS NOT NULL)
    );
CREATE INDEX IF NOT EXISTS ix_uploads_withdrawn ON cvms.uploads (withdrawn_at)
    WHERE withdrawn_at IS NOT NULL;

COMMENT ON TABLE cvms.recipients IS
    'The people to be vaccinated; one row a match key.';

-- Otherwise the foreign key would read all rejected rows for each person taken out.
CREATE INDEX IF NOT EXISTS ix_rejected_rows_matched
    ON cvms.rejected_rows (matched_recipient)
    WHERE matched_recipient IS NOT NULL;

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
            'rows-dismissed', 'upload-withdrawn'
        )
    );

CREATE OR REPLACE FUNCTION cvms.audit_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'upload-withdrawn', NEW.id, NEW.provider,
        jsonb_build_object(
            'taken_out', NEW.loaded - NEW.updated, 'undone', NEW.updated
        )
    );
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER audit_withdrawal AFTER UPDATE ON cvms.uploads
    FOR EACH ROW WHEN (OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL)
    EXECUTE FUNCTION cvms.audit_withdrawal();

-- Gives the people whose addresses an upload has corrected their earlier ones again.
CREATE OR REPLACE FUNCTION cvms.undo_corrections(given text, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    change cvms.recipient_changes;
    name text;
    number integer;
BEGIN
    FOR change IN SELECT * FROM cvms.recipient_changes WHERE upload_id = given LOOP
        name := change.old_username;
        number := coalesce(
            substring(
                substr(name, length(change.old_email) + 1)
                FROM '^\.([0-9]+)\.COVID19VACCINE$'
            )::integer,
            1
        );
        WHILE EXISTS (
            SELECT FROM cvms.recipients
            WHERE lower(username) = lower(name) AND id <> change.recipient_id
        ) LOOP -- somebody has taken it meanwhile
            number := number + 1;
            name := change.old_email || '.' || number || '.COVID19VACCINE';
        END LOOP;
        UPDATE cvms.recipients
        SET email = change.old_email, username = name, username_number = number
        WHERE id = change.recipient_id;
        -- The last invitation to that address, if it was never sent.
        UPDATE cvms.messages
        SET status = 'waiting', queued_at = moment, next_attempt_at = moment
        WHERE status = 'withdrawn' AND id = (
            SELECT id FROM cvms.messages
            WHERE recipient_id = change.recipient_id
                AND kind = 'invitation'
                AND upload_id <> given
                AND addresses = ARRAY[change.old_email]
            ORDER BY id DESC
            LIMIT 1
        );
    END LOOP;
    DELETE FROM cvms.recipient_changes WHERE upload_id = given;
END
$$;

-- Rows that an upload had settled are outstanding again, if no later one has settled
-- the upload's own row; its own rejected rows are not.
CREATE OR REPLACE FUNCTION cvms.reopen_rows(given text, people uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed text[];
BEGIN
    SELECT array_agg(DISTINCT id) INTO changed
    FROM (
        SELECT given AS id
        UNION ALL
        SELECT unnest(parents || children) FROM cvms.uploads WHERE id = given
        UNION ALL
        SELECT upload_id FROM cvms.rejected_rows WHERE matched_recipient = ANY(people)
    ) AS related;
    PERFORM id FROM cvms.uploads WHERE id = ANY(changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE cvms.rejected_rows AS rejected
    SET
        brought_back_by = found.brought_back_by,
        brought_back_line = found.brought_back_line,
        matched_recipient = found.matched_recipient,
        is_outstanding = found.brought_back_by IS NULL
            AND found.matched_recipient IS NULL
            AND upload.withdrawn_at IS NULL
    FROM (
        SELECT
            earlier.upload_id,
            earlier.line,
            own.brought_back_by,
            own.brought_back_line,
            own.matched_recipient
        FROM cvms.rejected_rows AS earlier
        LEFT JOIN cvms.rejected_rows AS own
            ON own.upload_id = given AND own.line = earlier.brought_back_line
        WHERE earlier.upload_id = ANY(changed) AND earlier.brought_back_by = given
    ) AS found
    INNER JOIN cvms.uploads AS upload ON upload.id = found.upload_id
    WHERE rejected.upload_id = found.upload_id AND rejected.line = found.line;
    UPDATE cvms.rejected_rows AS rejected
    SET
        matched_recipient = NULL,
        is_outstanding = rejected.brought_back_by IS NULL
            AND rejected.dismissed_why IS NULL
            AND upload.withdrawn_at IS NULL
    FROM cvms.uploads AS upload
    WHERE rejected.matched_recipient = ANY(people) AND upload.id = rejected.upload_id;
    UPDATE cvms.rejected_rows SET is_outstanding = false
    WHERE upload_id = given AND is_outstanding;
    UPDATE cvms.uploads AS upload
    SET
        outstanding = (
            SELECT count(*) FROM cvms.rejected_rows AS rejected
            WHERE rejected.upload_id = upload.id AND rejected.is_outstanding
        ),
        children = ARRAY(
            SELECT unnest(upload.children)
            UNION
            SELECT rejected.brought_back_by FROM cvms.rejected_rows AS rejected
            WHERE rejected.upload_id = upload.id
                AND rejected.brought_back_by IS NOT NULL
            ORDER BY 1
        ),
        parents = ARRAY(
            SELECT unnest(upload.parents)
            UNION
            SELECT rejected.upload_id FROM cvms.rejected_rows AS rejected
            WHERE rejected.upload_id = ANY(changed)
                AND rejected.brought_back_by = upload.id
            ORDER BY 1
        )
    WHERE id = ANY(changed);
END
$$;

-- Withdraws an upload as a whole, or returns why not: `unknown`, `undecided`,
-- `withdrawn`, `nothing`, `invited` or `changed`.  It runs as the owner of the tables:
-- the services may delete no recipient in any other way.  Locks are taken in the order
-- in which uploads are loaded: invitations, recipients in the order of their keys,
-- uploads in the order of their ids, the provider.
CREATE OR REPLACE FUNCTION cvms.withdraw(given text, word text, moment timestamptz)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    upload cvms.uploads;
    people uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('cvms withdrawals', 0));
    SELECT * INTO upload FROM cvms.uploads WHERE id = given;
    CASE
        WHEN upload.id IS NULL THEN RETURN 'unknown';
        WHEN upload.withdrawn_at IS NOT NULL THEN RETURN 'withdrawn';
        WHEN upload.decided_at IS NULL THEN RETURN 'undecided';
        WHEN upload.loaded = 0 THEN RETURN 'nothing';
        ELSE NULL;
    END CASE;
    -- Whoever has claimed an invitation, or does so now, is about to send it. One that
    -- nobody ever claimed is due when it was queued for.
    IF (SELECT count(*) FROM cvms.messages WHERE upload_id = given AND kind = 'invitation')
        <> (
            SELECT count(*) FROM (
                SELECT FROM cvms.messages
                WHERE upload_id = given AND kind = 'invitation' AND status = 'waiting'
                    AND attempts = 0 AND next_attempt_at = queued_at
                FOR UPDATE SKIP LOCKED
            ) AS waiting
        )
    THEN
        RETURN 'invited';
    END IF;
    PERFORM id FROM cvms.recipients
    WHERE upload_id = given
        OR id IN (SELECT recipient_id FROM cvms.recipient_changes WHERE upload_id = given)
    ORDER BY first_key, last_key, birth_date
    FOR UPDATE;
    IF EXISTS (
        SELECT FROM cvms.recipients AS recipient
        LEFT JOIN cvms.recipient_changes AS own
            ON own.recipient_id = recipient.id AND own.upload_id = given
        WHERE (recipient.upload_id = given OR own.id IS NOT NULL)
            AND (
                recipient.registered_at IS NOT NULL
                OR recipient.removed_at IS NOT NULL
                OR own.new_username <> recipient.username
                OR EXISTS (
                    SELECT FROM cvms.recipient_changes AS later
                    WHERE later.recipient_id = recipient.id
                        AND later.upload_id <> given
                        AND later.changed_at >= coalesce(own.changed_at, '-infinity')
                )
            )
    ) THEN
        RETURN 'changed';
    END IF;
    SELECT array_agg(id) INTO people FROM cvms.recipients WHERE upload_id = given;
    people := coalesce(people, '{}');
    PERFORM cvms.reopen_rows(given, people);
    DELETE FROM cvms.messages WHERE upload_id = given AND kind = 'invitation';
    DELETE FROM cvms.recipients WHERE upload_id = given;
    PERFORM cvms.undo_corrections(given, moment);
    UPDATE cvms.uploads
    SET
        status = 'withdrawn',
        withdrawn_at = moment,
        withdrawn_why = word,
        finished_at = coalesce(finished_at, moment),
        failed_at = NULL
    WHERE id = given;
    UPDATE cvms.providers
    SET recipients = recipients - cardinality(people)
    WHERE slug = upload.provider;
    RETURN 'done';
END
$$;
