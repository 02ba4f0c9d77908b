-- What waits, for whoever watches: asked every few seconds, so each number is one
-- walk over the few entries of an index that are not finished.  Refused messages count
-- while those whom they were for still have the address that was refused.
SELECT
    waiting.number AS uploads_waiting,
    oldest.id AS oldest_upload,
    oldest.received_at AS oldest_upload_at,
    failed.number AS uploads_failed,
    unsent.number AS messages_unsent,
    unsent.oldest_at AS oldest_message_at,
    refused.notices AS notices_refused,
    refused.invitations AS invitations_refused,
    refused.alerts AS alerts_refused
FROM (
    SELECT count(*) AS number
    FROM cvms.uploads
    WHERE status IN ('received', 'processing')
) AS waiting
CROSS JOIN (
    SELECT count(*) AS number FROM cvms.uploads WHERE status = 'failed'
) AS failed
CROSS JOIN (
    SELECT count(*) AS number, min(queued_at) AS oldest_at
    FROM cvms.messages
    WHERE status = 'waiting'
) AS unsent
CROSS JOIN (
    SELECT
        count(*) FILTER (
            WHERE message.kind = 'notice'
                AND provider.is_enabled
                AND provider.emails = message.addresses
        ) AS notices,
        count(*) FILTER (
            WHERE message.kind = 'invitation'
                AND recipient.removed_at IS NULL
                AND message.addresses = ARRAY[recipient.email]
        ) AS invitations,
        count(*) FILTER (WHERE message.kind = 'alert') AS alerts
    FROM cvms.messages AS message
    LEFT JOIN cvms.uploads AS upload ON message.upload_id = upload.id
    LEFT JOIN cvms.providers AS provider ON upload.provider = provider.slug
    LEFT JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
    WHERE message.status = 'refused'
) AS refused
LEFT JOIN LATERAL (
    SELECT id, received_at
    FROM cvms.uploads
    WHERE status IN ('received', 'processing')
    ORDER BY received_at, id
    LIMIT 1
) AS oldest ON true
