-- Recipients have accounts: a password that they set with a link, and a registration.

-- From the moment a password is set no upload changes the e-mail address.  Whoever is
-- marked as registered stays so, too.
ALTER TABLE cvms.recipients
    ADD COLUMN IF NOT EXISTS password_set_at timestamptz,
    ADD COLUMN IF NOT EXISTS denied_at timestamptz,
    ADD COLUMN IF NOT EXISTS link_id uuid,
    ADD COLUMN IF NOT EXISTS language text;
UPDATE cvms.recipients SET password_set_at = registered_at
WHERE registered_at IS NOT NULL AND password_set_at IS NULL AND removed_at IS NULL;

CREATE TABLE IF NOT EXISTS cvms.registrations (
    recipient_id uuid NOT NULL,
    phone text NOT NULL,
    address_1 text NOT NULL,
    address_2 text NOT NULL,
    city text NOT NULL,
    state text NOT NULL,
    zip text NOT NULL,
    county text NOT NULL,
    sex text NOT NULL,
    ethnicity text NOT NULL,
    language text NOT NULL,
    vaccine_group text NOT NULL,
    races text [] NOT NULL,
    sent_at timestamptz NOT NULL,
    changed_at timestamptz,
    CONSTRAINT pk_registrations PRIMARY KEY (recipient_id),
    CONSTRAINT fk_registrations_recipient_id FOREIGN KEY (recipient_id)
    REFERENCES cvms.recipients (id) ON DELETE CASCADE
);
COMMENT ON TABLE cvms.registrations IS
    'What recipients have answered in the form, once sent; only its owner reads it.';

CREATE TABLE IF NOT EXISTS cvms.registration_drafts (
    recipient_id uuid NOT NULL,
    step text NOT NULL,
    answers jsonb NOT NULL,
    saved_at timestamptz NOT NULL,
    CONSTRAINT pk_registration_drafts PRIMARY KEY (recipient_id),
    CONSTRAINT fk_registration_drafts_recipient_id FOREIGN KEY (recipient_id)
    REFERENCES cvms.recipients (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_registration_drafts_saved_at
    ON cvms.registration_drafts (saved_at);
COMMENT ON TABLE cvms.registration_drafts IS
    'Forms that were paused, until they are sent or too old.';

-- All messages to a recipient but the first invitation, which has the recipient's id.
CREATE INDEX IF NOT EXISTS ix_messages_recipient
    ON cvms.messages (recipient_id) WHERE recipient_id <> id;
ALTER TABLE cvms.messages
    DROP CONSTRAINT ck_messages_kind,
    ADD CONSTRAINT ck_messages_kind CHECK (
        kind IN (
            'notice', 'invitation', 'alert', 'refused-addresses', 'account', 'delay',
            'case', 'recipient'
        )
    );

ALTER TABLE cvms.cases
    DROP CONSTRAINT ck_cases_kind,
    ADD CONSTRAINT ck_cases_kind CHECK (
        kind IN ('bulk_upload', 'onboarding', 'removal', 'wrong_address')
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
            'case-read', 'case-file-read', 'case-file-loaded', 'cases-erased',
            'removal-asked', 'removal-dropped', 'recipient-removed', 'recipient-erased',
            'address-denied', 'registration-sent', 'registration-changed'
        )
    );

-- A recipient is removed only with a removal that was approved, for good, and nothing of
-- a removed one changes afterwards but that it is erased.
CREATE OR REPLACE FUNCTION cvms.guard_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        NEW.id, NEW.provider, NEW.upload_id, NEW.source_line, NEW.loaded_at
    ) = (
        OLD.id, OLD.provider, OLD.upload_id, OLD.source_line, OLD.loaded_at
    ) AND NEW.registered_at IS NOT DISTINCT FROM OLD.registered_at
        AND NEW.password_set_at IS NOT DISTINCT FROM OLD.password_set_at
        AND (NEW.first_key, NEW.last_key, NEW.username, NEW.username_number)
        = ('removed:' || NEW.id, '', 'removed:' || NEW.id, 1)
    THEN
        IF OLD.removed_at IS NULL THEN
            IF (NEW.first_name, NEW.last_name, NEW.birth_date, NEW.email)
                = (OLD.first_name, OLD.last_name, OLD.birth_date, OLD.email)
                AND EXISTS (
                    SELECT FROM cvms.removals
                    WHERE recipient_id = NEW.id AND approved_at = NEW.removed_at
                )
            THEN
                RETURN NEW;
            END IF;
        ELSIF NEW.removed_at = OLD.removed_at
            AND (NEW.first_name, NEW.last_name, NEW.birth_date, NEW.email)
            = ('', '', DATE '0001-01-01', '')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION USING
        MESSAGE = 'recipients are removed by an approved removal, and for good',
        ERRCODE = 'integrity_constraint_violation',
        TABLE = 'recipients',
        CONSTRAINT = 'recipients_removed';
END
$$;

-- Erases what is left of a removed person, once: names, birth date and addresses of the
-- record, of its corrections and messages, the rejected rows that held them, and what
-- the person has answered in the form.
-- Returns the uploads of these rows, or NULL if there is nothing to erase.  It runs as
-- the owner of the tables: the services may change no correction and no cell in any
-- other way.
CREATE OR REPLACE FUNCTION cvms.erase(given uuid, moment timestamptz)
RETURNS text [] LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    person cvms.recipients;
    found text[];
BEGIN
    PERFORM cvms.wait_for_turn();
    SELECT * INTO person FROM cvms.recipients WHERE id = given FOR UPDATE;
    IF person.removed_at IS NULL OR NOT EXISTS (
        SELECT FROM cvms.removals WHERE recipient_id = given AND erased_at IS NULL
    ) THEN
        RETURN NULL;
    END IF;
    WITH erased AS (
        UPDATE cvms.rejected_rows AS rejected
        SET first_name = '', last_name = '', birth_date = '', email = '',
            extra_cells = '', message = ''
        FROM cvms.list_rows_of(given) AS place
        WHERE rejected.upload_id = place.upload_id AND rejected.line = place.line
        RETURNING rejected.upload_id
    )
    SELECT coalesce(array_agg(DISTINCT upload_id), '{}') INTO found FROM erased;
    UPDATE cvms.messages SET addresses = '{}'
    WHERE kind = 'invitation' AND id IN (
        SELECT given
        UNION ALL
        SELECT id FROM cvms.recipient_changes WHERE recipient_id = given
    );
    UPDATE cvms.messages SET addresses = '{}'
    WHERE recipient_id = given AND recipient_id <> id;
    DELETE FROM cvms.registrations WHERE recipient_id = given;
    DELETE FROM cvms.registration_drafts WHERE recipient_id = given;
    UPDATE cvms.recipient_changes
    SET old_email = '', new_email = '', old_username = '', new_username = ''
    WHERE recipient_id = given;
    UPDATE cvms.recipients
    SET first_name = '', last_name = '', email = '', birth_date = '0001-01-01'
    WHERE id = given;
    UPDATE cvms.removals SET erased_at = moment WHERE recipient_id = given;
    RETURN found;
END
$$;

-- Gives the people whose addresses an upload has corrected their earlier ones again:
-- the link that went there works, too.
CREATE OR REPLACE FUNCTION cvms.undo_corrections(given text, moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    change cvms.recipient_changes;
    name text;
    number integer;
BEGIN
    FOR change IN
        SELECT own.*
        FROM cvms.recipient_changes AS own
        INNER JOIN cvms.recipients AS recipient ON recipient.id = own.recipient_id
        WHERE own.upload_id = given AND recipient.removed_at IS NULL
    LOOP
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
        SET
            email = change.old_email,
            username = name,
            username_number = number,
            link_id = nullif((
                SELECT id FROM cvms.messages
                WHERE upload_id <> given
                    AND kind = 'invitation'
                    AND addresses = ARRAY[change.old_email]
                    AND id IN (
                        SELECT change.recipient_id
                        UNION ALL
                        SELECT id FROM cvms.recipient_changes
                        WHERE recipient_id = change.recipient_id
                    )
                ORDER BY id DESC
                LIMIT 1
            ), change.recipient_id)
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
    DELETE FROM cvms.recipient_changes
    WHERE upload_id = given AND recipient_id IN (
        SELECT id FROM cvms.recipients WHERE removed_at IS NULL
    );
END
$$;

-- Withdraws an upload as a whole, or returns why not: `unknown`, `undecided`,
-- `withdrawn`, `nothing`, `invited` or `changed`.  It runs as the owner of the tables:
-- the services may delete no recipient in any other way.  Locks are taken in the order
-- in which uploads are loaded: invitations, recipients in the order of their keys,
-- uploads in the order of their ids, the provider.  Whoever was removed is passed over.
CREATE OR REPLACE FUNCTION cvms.withdraw(given text, word text, moment timestamptz)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    upload cvms.uploads;
    people uuid[];
    removed uuid[];
BEGIN
    PERFORM cvms.wait_for_turn();
    SELECT * INTO upload FROM cvms.uploads WHERE id = given;
    CASE
        WHEN upload.id IS NULL THEN RETURN 'unknown';
        WHEN upload.withdrawn_at IS NOT NULL THEN RETURN 'withdrawn';
        WHEN upload.decided_at IS NULL THEN RETURN 'undecided';
        WHEN upload.loaded = 0 THEN RETURN 'nothing';
        ELSE NULL;
    END CASE;
    SELECT coalesce(array_agg(id), '{}') INTO removed
    FROM (
        SELECT id FROM cvms.recipients
        WHERE upload_id = given AND removed_at IS NOT NULL
        UNION ALL
        SELECT recipient.id
        FROM cvms.recipient_changes AS change
        INNER JOIN cvms.recipients AS recipient ON recipient.id = change.recipient_id
        WHERE change.upload_id = given AND recipient.removed_at IS NOT NULL
    ) AS gone;
    -- Whoever has claimed an invitation, or does so now, is about to send it. One that
    -- nobody ever claimed is due when it was queued for.
    IF (
        SELECT count(*) FROM cvms.messages
        WHERE upload_id = given AND kind = 'invitation' AND recipient_id <> ALL(removed)
    )
        <> (
            SELECT count(*) FROM (
                SELECT FROM cvms.messages
                WHERE upload_id = given AND kind = 'invitation' AND status = 'waiting'
                    AND attempts = 0 AND next_attempt_at = queued_at
                    AND recipient_id <> ALL(removed)
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
            AND recipient.removed_at IS NULL
            AND (
                recipient.password_set_at IS NOT NULL
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
    SELECT array_agg(id) INTO people
    FROM cvms.recipients WHERE upload_id = given AND removed_at IS NULL;
    people := coalesce(people, '{}');
    PERFORM cvms.reopen_rows(given, people);
    DELETE FROM cvms.messages
    WHERE upload_id = given AND kind = 'invitation' AND recipient_id <> ALL(removed);
    DELETE FROM cvms.messages
    WHERE recipient_id = ANY(people) AND recipient_id <> id;
    DELETE FROM cvms.recipients WHERE id = ANY(people);
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
