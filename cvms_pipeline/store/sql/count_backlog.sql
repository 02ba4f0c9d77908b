-- What waits, for whoever watches: asked every few seconds, so each number is one
-- walk over the few entries of an index that are not finished.
SELECT
    waiting.number AS uploads_waiting,
    oldest.id AS oldest_upload,
    oldest.received_at AS oldest_upload_at,
    failed.number AS uploads_failed,
    unsent.number AS messages_unsent,
    unsent.oldest_at AS oldest_message_at
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
LEFT JOIN LATERAL (
    SELECT id, received_at
    FROM cvms.uploads
    WHERE status IN ('received', 'processing')
    ORDER BY received_at, id
    LIMIT 1
) AS oldest ON true
