-- The lines of an upload whose invitation was refused permanently, as long as their
-- recipients still have the address that was refused.
SELECT
    coalesce(change.source_line, recipient.source_line) AS line,
    message.last_error AS error
FROM cvms.messages AS message
INNER JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
LEFT JOIN cvms.recipient_changes AS change ON message.id = change.id
WHERE message.upload_id = :upload_id
    AND message.kind = 'invitation'
    AND message.status = 'refused'
    AND message.addresses = ARRAY[recipient.email]
    AND recipient.removed_at IS NULL
ORDER BY line
