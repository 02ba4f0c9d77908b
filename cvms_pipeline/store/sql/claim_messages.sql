-- Hands out messages that are due to one sender alone: another sender skips what is
-- locked, and until the lease is over what was handed out; a sender that dies gives its
-- messages back by that.  An invitation to an address that has been corrected since, or
-- to someone removed, is withdrawn instead.
WITH due AS (
    SELECT id, recipient_id, addresses
    FROM cvms.messages
    WHERE status = 'waiting'
        AND kind = ANY(:kinds)
        AND next_attempt_at <= :now
        AND (CAST(:upload_id AS text) IS NULL OR upload_id = :upload_id)
    ORDER BY next_attempt_at, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
),

judged AS (
    SELECT
        due.id,
        recipient.username,
        recipient.email,
        due.recipient_id IS NOT NULL
        AND (
            recipient.removed_at IS NOT NULL OR due.addresses <> ARRAY[recipient.email]
        ) AS is_outdated
    FROM due
    LEFT JOIN cvms.recipients AS recipient ON due.recipient_id = recipient.id
)

UPDATE cvms.messages AS message
SET
    status = CASE WHEN judged.is_outdated THEN 'withdrawn' ELSE 'waiting' END,
    next_attempt_at = :leased_until
FROM judged
WHERE message.id = judged.id
RETURNING
    CAST(message.id AS text) AS id,
    message.purpose,
    message.kind,
    message.upload_id,
    CAST(message.recipient_id AS text) AS recipient_id,
    message.addresses,
    message.details,
    message.attempts,
    message.queued_at,
    judged.username,
    judged.email,
    judged.is_outdated
