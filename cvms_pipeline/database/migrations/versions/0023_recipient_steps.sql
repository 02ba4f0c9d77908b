-- How many of the people whom an upload or a provider has loaded have set a password, and
-- how many have registered.  Counted as it happens: to count ten million recipients again
-- for each page and each scrape would take seconds.  The counts of an upload keep whoever
-- was removed, as `loaded` does; those of a provider do not, as `recipients` does not.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS passwords_set integer DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS registered integer DEFAULT 0 NOT NULL;
ALTER TABLE cvms.providers
    ADD COLUMN IF NOT EXISTS passwords_set bigint DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS registered bigint DEFAULT 0 NOT NULL;

UPDATE cvms.uploads AS upload
SET passwords_set = found.passwords_set, registered = found.registered
FROM (
    SELECT
        upload_id,
        count(password_set_at) AS passwords_set,
        count(registered_at) AS registered
    FROM cvms.recipients
    WHERE password_set_at IS NOT NULL OR registered_at IS NOT NULL
    GROUP BY upload_id
) AS found
WHERE upload.id = found.upload_id;
UPDATE cvms.providers AS provider
SET passwords_set = found.passwords_set, registered = found.registered
FROM (
    SELECT
        provider,
        count(password_set_at) AS passwords_set,
        count(registered_at) AS registered
    FROM cvms.recipients
    WHERE removed_at IS NULL
        AND (password_set_at IS NOT NULL OR registered_at IS NOT NULL)
    GROUP BY provider
) AS found
WHERE provider.slug = found.provider;

-- Locks in the order in which uploads are loaded: the recipient is locked already, then
-- its upload, then the provider.
CREATE OR REPLACE FUNCTION cvms.count_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    passwords integer := (NEW.password_set_at IS NOT NULL)::integer
        - (OLD.password_set_at IS NOT NULL)::integer;
    registrations integer := (NEW.registered_at IS NOT NULL)::integer
        - (OLD.registered_at IS NOT NULL)::integer;
BEGIN
    UPDATE cvms.uploads
    SET
        passwords_set = passwords_set + passwords,
        registered = registered + registrations
    WHERE id = NEW.upload_id;
    UPDATE cvms.providers
    SET
        passwords_set = passwords_set + passwords,
        registered = registered + registrations
    WHERE slug = NEW.provider;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER count_steps
    AFTER UPDATE OF password_set_at, registered_at ON cvms.recipients
    FOR EACH ROW WHEN (
        (OLD.password_set_at IS NULL) <> (NEW.password_set_at IS NULL)
        OR (OLD.registered_at IS NULL) <> (NEW.registered_at IS NULL)
    )
    EXECUTE FUNCTION cvms.count_steps();

-- Those of one provider who have come so far, those of today, and whose address is
-- somebody else's: all of them partial, so that loading an upload writes none.
CREATE INDEX IF NOT EXISTS ix_recipients_with_password
    ON cvms.recipients (provider, registered_at) WHERE password_set_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_recipients_password_set_at
    ON cvms.recipients (password_set_at) WHERE password_set_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_recipients_registered_at
    ON cvms.recipients (registered_at) WHERE registered_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_recipients_denied
    ON cvms.recipients (provider) WHERE denied_at IS NOT NULL;

-- The provider of a refused message to a recipient is noted with it, so that a provider's
-- are found without everybody's.
UPDATE cvms.messages AS message
SET details = message.details || jsonb_build_object('provider', recipient.provider)
FROM cvms.recipients AS recipient
WHERE message.status = 'refused' AND recipient.id = message.recipient_id;
CREATE INDEX IF NOT EXISTS ix_messages_refused_provider
    ON cvms.messages ((details ->> 'provider'), upload_id)
    WHERE status = 'refused' AND recipient_id IS NOT NULL;
