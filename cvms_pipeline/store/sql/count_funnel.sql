-- How far the recipients of each provider have come: in total, and since a moment.
-- Whom an invitation has never reached is found by the few messages that wait or were
-- refused; passwords and registrations are counted as they happen (revision 0023), and
-- those of a day have an index each: ten million recipients are never read.
WITH unsent AS (
    SELECT recipient.provider, count(DISTINCT recipient.id) AS number
    FROM (
        SELECT recipient_id, addresses
        FROM cvms.messages
        WHERE kind = 'invitation' AND status = 'waiting' AND details ->> 'again' IS NULL
        UNION ALL
        SELECT recipient_id, addresses
        FROM cvms.messages
        WHERE kind = 'invitation' AND status = 'refused' AND details ->> 'again' IS NULL
    ) AS message
    INNER JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
    WHERE message.addresses = ARRAY[recipient.email]
        AND recipient.removed_at IS NULL
        AND recipient.password_set_at IS NULL
    GROUP BY recipient.provider
),

denied AS (
    SELECT provider, count(*) AS number
    FROM cvms.recipients
    WHERE denied_at IS NOT NULL AND removed_at IS NULL AND password_set_at IS NULL
    GROUP BY provider
),

loaded AS (
    SELECT provider, sum(loaded - updated) AS number
    FROM cvms.uploads
    WHERE received_at >= :since AND withdrawn_at IS NULL
    GROUP BY provider
),

passwords AS (
    SELECT provider, count(*) AS number
    FROM cvms.recipients
    WHERE password_set_at >= :since AND removed_at IS NULL
    GROUP BY provider
),

registrations AS (
    SELECT provider, count(*) AS number
    FROM cvms.recipients
    WHERE registered_at >= :since AND removed_at IS NULL
    GROUP BY provider
)

SELECT
    provider.slug AS provider,
    provider.recipients AS loaded,
    provider.recipients - coalesce(unsent.number, 0) AS invited,
    provider.passwords_set,
    provider.registered,
    coalesce(denied.number, 0) AS denied,
    coalesce(loaded.number, 0) AS loaded_since,
    coalesce(passwords.number, 0) AS passwords_since,
    coalesce(registrations.number, 0) AS registered_since
FROM cvms.providers AS provider
LEFT JOIN unsent ON provider.slug = unsent.provider
LEFT JOIN denied ON provider.slug = denied.provider
LEFT JOIN loaded ON provider.slug = loaded.provider
LEFT JOIN passwords ON provider.slug = passwords.provider
LEFT JOIN registrations ON provider.slug = registrations.provider
WHERE provider.recipients > 0
ORDER BY provider.slug
