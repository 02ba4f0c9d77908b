-- The recipients of a provider without a password whose e-mail address does not reach
-- them: the mail server has refused the newest message to it for good, or somebody who
-- got it has said that it is not them.  The latest first, with the upload and the line
-- that the address came from.  The index of refused messages is read until there are
-- enough of them.
WITH refused AS (
    SELECT message.recipient_id, message.last_error AS error, message.upload_id
    FROM cvms.messages AS message
    INNER JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
    WHERE message.status = 'refused'
        AND message.recipient_id IS NOT NULL
        AND message.details ->> 'provider' = :provider
        AND message.addresses = ARRAY[recipient.email]
        AND recipient.removed_at IS NULL
        AND recipient.denied_at IS NULL
        AND recipient.password_set_at IS NULL
        AND NOT EXISTS (
            SELECT FROM cvms.messages AS later
            WHERE later.recipient_id = message.recipient_id
                AND later.recipient_id <> later.id
                AND later.queued_at > message.queued_at
        )
    ORDER BY message.upload_id DESC
    LIMIT :limit
),

found AS (
    SELECT recipient_id, error FROM refused
    UNION ALL
    SELECT id, NULL
    FROM cvms.recipients
    WHERE provider = :provider
        AND denied_at IS NOT NULL
        AND removed_at IS NULL
        AND password_set_at IS NULL
)

SELECT
    CAST(recipient.id AS text) AS recipient_id,
    recipient.first_name,
    recipient.last_name,
    recipient.email,
    coalesce(change.upload_id, recipient.upload_id) AS upload_id,
    coalesce(change.source_line, recipient.source_line) AS source_line,
    found.error,
    recipient.denied_at
FROM found
INNER JOIN cvms.recipients AS recipient ON found.recipient_id = recipient.id
LEFT JOIN LATERAL (
    SELECT *
    FROM cvms.recipient_changes
    WHERE recipient_id = recipient.id
    ORDER BY id DESC
    LIMIT 1
) AS change ON true
ORDER BY upload_id DESC, source_line
LIMIT :limit
