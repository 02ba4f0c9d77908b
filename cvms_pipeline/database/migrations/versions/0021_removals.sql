-- A recipient can be removed: one account asks for it, and another one approves.  The
-- record stays; its match key and username become values made of its id, so that the
-- person can be loaded again as new.  Names, birth date and addresses are erased later.
CREATE TABLE IF NOT EXISTS cvms.removals (
    recipient_id uuid NOT NULL,
    case_number bigint NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    approved_by uuid,
    approved_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT pk_removals PRIMARY KEY (recipient_id),
    CONSTRAINT uq_removals_case_number UNIQUE (case_number),
    CONSTRAINT fk_removals_recipient_id FOREIGN KEY (recipient_id)
    REFERENCES cvms.recipients (id) ON DELETE CASCADE,
    CONSTRAINT ck_removals_approved CHECK (
        (approved_by IS NULL) = (approved_at IS NULL)
    ),
    CONSTRAINT ck_removals_two_people CHECK (approved_by <> asked_by),
    CONSTRAINT ck_removals_erased CHECK (
        erased_at IS NULL OR approved_at IS NOT NULL
    )
);
CREATE INDEX IF NOT EXISTS ix_removals_unerased ON cvms.removals (approved_at)
    WHERE approved_at IS NOT NULL AND erased_at IS NULL;
COMMENT ON TABLE cvms.removals IS
    'Who is to be removed, and who was: asked by one account, approved by another.';

-- A recipient is removed only with a removal that was approved, for good, and nothing of
-- a removed one changes afterwards but that it is erased.
CREATE OR REPLACE FUNCTION cvms.guard_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        NEW.id, NEW.provider, NEW.upload_id, NEW.source_line, NEW.loaded_at
    ) = (
        OLD.id, OLD.provider, OLD.upload_id, OLD.source_line, OLD.loaded_at
    ) AND NEW.registered_at IS NOT DISTINCT FROM OLD.registered_at
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
CREATE OR REPLACE TRIGGER guard_removal BEFORE UPDATE ON cvms.recipients
    FOR EACH ROW WHEN (OLD.removed_at IS NOT NULL OR NEW.removed_at IS NOT NULL)
    EXECUTE FUNCTION cvms.guard_removal();
CREATE OR REPLACE TRIGGER guard_removed BEFORE DELETE ON cvms.recipients
    FOR EACH ROW WHEN (OLD.removed_at IS NOT NULL)
    EXECUTE FUNCTION cvms.guard_removal();

-- What was approved stays: nobody else asks, approves or takes it back.
CREATE OR REPLACE FUNCTION cvms.guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
        AND (
            NEW.recipient_id, NEW.case_number, NEW.asked_by, NEW.asked_at,
            NEW.approved_by, NEW.approved_at
        ) = (
            OLD.recipient_id, OLD.case_number, OLD.asked_by, OLD.asked_at,
            OLD.approved_by, OLD.approved_at
        )
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING
        MESSAGE = 'an approved removal stays as it is',
        ERRCODE = 'integrity_constraint_violation',
        TABLE = 'removals',
        CONSTRAINT = 'removals_approved';
END
$$;
CREATE OR REPLACE TRIGGER guard_approval BEFORE UPDATE OR DELETE ON cvms.removals
    FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL)
    EXECUTE FUNCTION cvms.guard_approval();

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
            'removal-asked', 'removal-dropped', 'recipient-removed', 'recipient-erased'
        )
    );

CREATE OR REPLACE FUNCTION cvms.audit_removal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    removal cvms.removals := coalesce(NEW, OLD);
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    SELECT
        CASE
            WHEN TG_OP = 'DELETE' THEN 'removal-dropped'
            WHEN NEW.erased_at IS NOT NULL THEN 'recipient-erased'
            WHEN NEW.approved_at IS NOT NULL THEN 'recipient-removed'
            ELSE 'removal-asked'
        END,
        recipient.upload_id,
        recipient.provider,
        jsonb_build_object('case', removal.case_number, 'recipient', removal.recipient_id)
    FROM (SELECT) AS always
    LEFT JOIN cvms.recipients AS recipient ON recipient.id = removal.recipient_id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER audit_removal AFTER INSERT OR UPDATE OR DELETE ON cvms.removals
    FOR EACH ROW EXECUTE FUNCTION cvms.audit_removal();

-- Whoever takes people out, by withdrawal, by removal or for good, does it one after
-- another: each of them takes locks that the loading of uploads takes, too.
CREATE OR REPLACE FUNCTION cvms.wait_for_turn() RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('cvms withdrawals', 0))
$$;

-- The rows of uploads that hold a person: those that loaded or corrected it, and the
-- rejected ones that were earlier versions or duplicates of them.
CREATE OR REPLACE FUNCTION cvms.list_rows_of(given uuid)
RETURNS TABLE (upload_id text, line integer) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE loaded AS (
        SELECT upload_id, source_line AS line FROM cvms.recipients WHERE id = given
        UNION
        SELECT upload_id, source_line
        FROM cvms.recipient_changes WHERE recipient_id = given
    ),
    known AS (
        SELECT upload_id, line FROM loaded
        UNION
        SELECT upload_id, line FROM cvms.rejected_rows WHERE matched_recipient = given
        UNION
        SELECT twice.upload_id, twice.line
        FROM cvms.rejected_rows AS twice
        INNER JOIN loaded ON loaded.upload_id = twice.upload_id
        INNER JOIN cvms.recipients AS person ON person.id = given
        WHERE 'duplicate-in-file' = ANY(twice.codes)
            AND (
                twice.message ~ ('\(same person as line ' || loaded.line || '\)$')
                OR lower(btrim(twice.first_name)) = lower(person.first_name)
                AND lower(btrim(twice.last_name)) = lower(person.last_name)
            )
    ),
    place AS (
        SELECT upload_id, line FROM known
        UNION
        SELECT earlier.upload_id, earlier.line
        FROM place
        INNER JOIN cvms.uploads AS upload ON upload.id = place.upload_id
        INNER JOIN cvms.rejected_rows AS earlier
            ON earlier.upload_id = ANY(upload.parents)
            AND earlier.brought_back_by = place.upload_id
            AND earlier.brought_back_line = place.line
    )
    SELECT place.upload_id, place.line FROM place;
END
$$;

-- Erases what is left of a removed person, once: names, birth date and addresses of the
-- record, of its corrections and invitations, and the rejected rows that held them.
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

-- Withdrawing passes over whoever was removed: that record stays as it is.
CREATE OR REPLACE FUNCTION cvms.audit_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cvms.audit (event, upload_id, provider, details)
    VALUES (
        'upload-withdrawn', NEW.id, NEW.provider,
        jsonb_build_object(
            'taken_out', NEW.loaded - NEW.updated
            - (SELECT count(*) FROM cvms.recipients WHERE upload_id = NEW.id),
            'undone', NEW.updated
            - (SELECT count(*) FROM cvms.recipient_changes WHERE upload_id = NEW.id)
        )
    );
    RETURN NULL;
END
$$;

-- Gives the people whose addresses an upload has corrected their earlier ones again.
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
    DELETE FROM cvms.recipient_changes
    WHERE upload_id = given AND recipient_id IN (
        SELECT id FROM cvms.recipients WHERE removed_at IS NULL
    );
END
$$;

-- Rows that an upload had settled are outstanding again, if no later one has settled
-- the upload's own row; its own rejected rows are not.  A row of somebody who was removed
-- since stays as it is.
CREATE OR REPLACE FUNCTION cvms.reopen_rows(given text, people uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed text[];
    removed integer[];
BEGIN
    SELECT coalesce(array_agg(line), '{}') INTO removed
    FROM (
        SELECT source_line AS line FROM cvms.recipients
        WHERE upload_id = given AND removed_at IS NOT NULL
        UNION ALL
        SELECT change.source_line
        FROM cvms.recipient_changes AS change
        INNER JOIN cvms.recipients AS recipient ON recipient.id = change.recipient_id
        WHERE change.upload_id = given AND recipient.removed_at IS NOT NULL
    ) AS lines;
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
            AND earlier.brought_back_line <> ALL(removed)
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
                recipient.registered_at IS NOT NULL
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
