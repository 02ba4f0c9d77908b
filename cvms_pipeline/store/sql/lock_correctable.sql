-- Locks the recipients whose e-mail address this upload may correct, before it is
-- decided who is corrected: until the transaction ends no other session can change them
-- or set their passwords.  In order of key, as every other writer, so that two uploads rarely
-- block each other.
SELECT stored.id
FROM (
    SELECT *
    FROM pg_temp.upload_keys
    ORDER BY first_key, last_key, birth_date
) AS wanted
CROSS JOIN LATERAL (
    SELECT recipient.id
    FROM cvms.recipients AS recipient
    WHERE recipient.first_key = wanted.first_key
        AND recipient.last_key = wanted.last_key
        AND recipient.birth_date = wanted.birth_date
        AND lower(recipient.email) <> wanted.email_key
        AND recipient.provider = :provider
        AND recipient.password_set_at IS NULL
        AND recipient.removed_at IS NULL
    LIMIT 1
    FOR NO KEY UPDATE
) AS stored
