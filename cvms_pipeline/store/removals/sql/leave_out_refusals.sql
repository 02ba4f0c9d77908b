-- Leaves the lines of a removed recipient out of the messages that are to tell its
-- provider of refused invitations, which are locked; one that is empty then is
-- withdrawn.
WITH place AS (
    SELECT upload_id, source_line
    FROM cvms.recipients
    WHERE id = :recipient_id
    UNION ALL
    SELECT upload_id, source_line
    FROM cvms.recipient_changes
    WHERE recipient_id = :recipient_id
),

kept AS (
    SELECT
        message.id,
        coalesce(
            jsonb_agg(refused.line) FILTER (
                WHERE NOT EXISTS (
                    SELECT FROM place
                    WHERE place.upload_id = refused.line ->> 'upload'
                        AND place.source_line
                        = CAST(refused.line ->> 'line' AS integer)
                )
            ),
            '[]'
        ) AS refused
    FROM cvms.messages AS message
    CROSS JOIN LATERAL
        jsonb_array_elements(message.details -> 'refused') AS refused (line)
    WHERE message.kind = 'refused-addresses'
        AND message.status = 'waiting'
        AND message.details ->> 'provider' = :provider
    GROUP BY message.id
)

UPDATE cvms.messages AS message
SET
    details = jsonb_set(message.details, '{refused}', kept.refused),
    status = CASE WHEN kept.refused = '[]' THEN 'withdrawn' ELSE 'waiting' END
FROM kept
WHERE message.id = kept.id
    AND kept.refused <> message.details -> 'refused'
