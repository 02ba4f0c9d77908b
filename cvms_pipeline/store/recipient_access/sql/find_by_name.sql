-- Finds whoever has a username or an e-mail address, by the index of usernames and that
-- of shared addresses: two probes, with ten million recipients as with none.
SELECT DISTINCT
    CAST(found.id AS text) AS id,
    found.first_name,
    found.last_name,
    found.email,
    found.username,
    found.provider,
    found.upload_id,
    found.source_line,
    CAST(found.link_id AS text) AS link_id,
    found.language,
    found.password_set_at,
    found.registered_at,
    found.denied_at,
    found.removed_at
FROM (
    SELECT *
    FROM cvms.recipients AS recipient
    WHERE lower(recipient.username) = lower(CAST(:typed AS text) COLLATE "C")
    UNION ALL
    SELECT *
    FROM cvms.recipients AS recipient
    WHERE lower(recipient.username)
        = lower(CAST(:typed AS text) || CAST(:suffix AS text) COLLATE "C")
        AND lower(recipient.email) = lower(CAST(:typed AS text))
    UNION ALL
    SELECT *
    FROM cvms.recipients AS recipient
    WHERE lower(recipient.email) = lower(CAST(:typed AS text))
        AND recipient.username_number > 1
) AS found
WHERE found.removed_at IS NULL
ORDER BY username
LIMIT :limit
