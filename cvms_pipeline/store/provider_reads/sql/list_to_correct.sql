-- The recipients of a provider whose present e-mail address does not reach them: the
-- mail server has refused the newest invitation for good.  The latest first, with the
-- upload and the line that the address came from.
SELECT
    CAST(recipient.id AS text) AS recipient_id,
    recipient.first_name,
    recipient.last_name,
    recipient.email,
    coalesce(change.upload_id, recipient.upload_id) AS upload_id,
    coalesce(change.source_line, recipient.source_line) AS source_line,
    message.last_error AS error
FROM cvms.messages AS message
INNER JOIN cvms.uploads AS upload
    ON message.upload_id = upload.id AND upload.provider = :provider
INNER JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
LEFT JOIN LATERAL (
    SELECT *
    FROM cvms.recipient_changes
    WHERE recipient_id = recipient.id
    ORDER BY id DESC
    LIMIT 1
) AS change ON true
WHERE message.kind = 'invitation'
    AND message.status = 'refused'
    AND message.addresses = ARRAY[recipient.email]
    AND recipient.removed_at IS NULL
ORDER BY upload_id DESC, source_line
LIMIT :limit
