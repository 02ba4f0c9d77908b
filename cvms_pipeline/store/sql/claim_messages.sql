-- Claims messages that are due for one sender: another sender skips what is locked and,
-- until the lease is over, what was claimed; what a sender that has ended had claimed
-- is due again by that.  Withdrawn instead is an invitation to an address that has been
-- corrected or denied since, or to someone who was removed or has a password, and a
-- message about delays that are over.
WITH due AS (
    SELECT id, kind, recipient_id, addresses, details
    FROM cvms.messages
    WHERE status = 'waiting'
        AND kind = :kind
        AND next_attempt_at <= :now
        AND (CAST(:upload_id AS text) IS NULL OR upload_id = :upload_id)
    ORDER BY next_attempt_at, id
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
),

checked AS (
    SELECT
        due.id,
        recipient.username,
        recipient.first_name,
        recipient.link_id,
        recipient.language,
        provider.name AS provider,
        due.recipient_id IS NOT NULL
        AND (
            recipient.removed_at IS NOT NULL
            OR recipient.denied_at IS NOT NULL
            OR due.addresses <> ARRAY[recipient.email]
            OR due.kind = 'invitation' AND recipient.password_set_at IS NOT NULL
        )
        OR due.kind = 'delay'
        AND NOT EXISTS (
            SELECT 1
            FROM jsonb_array_elements_text(due.details -> 'uploads') AS delayed (id)
            INNER JOIN cvms.uploads AS upload ON delayed.id = upload.id
            WHERE upload.finished_at IS NULL
        ) AS is_outdated
    FROM due
    LEFT JOIN cvms.recipients AS recipient ON due.recipient_id = recipient.id
    LEFT JOIN cvms.providers AS provider ON recipient.provider = provider.slug
)

UPDATE cvms.messages AS message
SET
    status = CASE WHEN checked.is_outdated THEN 'withdrawn' ELSE 'waiting' END,
    next_attempt_at = :leased_until
FROM checked
WHERE message.id = checked.id
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
    checked.username,
    checked.first_name,
    CAST(checked.link_id AS text) AS link_id,
    checked.language,
    checked.provider,
    checked.is_outdated
