-- Queues a message to each provider of which uploads without an outcome were received
-- before a moment.  Each upload is in one message; a provider gets the next one when the
-- last is as old as that, so that many delayed files do not become many messages.
WITH overdue AS (
    SELECT upload.id
    FROM cvms.uploads AS upload
    WHERE upload.status IN ('received', 'processing', 'failed')
        AND upload.received_at <= :before
        AND upload.delayed_at IS NOT NULL
        AND upload.delay_mailed_at IS NULL
        AND NOT EXISTS (
            SELECT 1
            FROM cvms.uploads AS mailed
            WHERE mailed.status IN ('received', 'processing', 'failed')
                AND mailed.provider = upload.provider
                AND mailed.delay_mailed_at > :before
        )
    ORDER BY upload.received_at
    LIMIT :limit
    FOR UPDATE OF upload SKIP LOCKED
),

mailed AS (
    UPDATE cvms.uploads AS upload
    SET delay_mailed_at = :now
    FROM overdue
    WHERE upload.id = overdue.id
    RETURNING upload.id, upload.provider, upload.received_at
)

INSERT INTO cvms.messages (
    purpose, kind, addresses, details, queued_at, next_attempt_at
)
SELECT
    'delay:' || provider.slug || ':' || min(mailed.id),
    'delay',
    provider.emails,
    jsonb_build_object(
        'provider', provider.slug,
        'uploads', jsonb_agg(mailed.id ORDER BY mailed.received_at, mailed.id)
    ),
    :now,
    :now
FROM mailed
INNER JOIN cvms.providers AS provider ON mailed.provider = provider.slug
GROUP BY provider.slug, provider.emails
ON CONFLICT (purpose) WHERE kind <> 'invitation' DO NOTHING
