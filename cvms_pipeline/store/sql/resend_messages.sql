-- Makes refused messages due again, to the addresses that they would have if they were
-- queued now: a refused address is what has been corrected meanwhile.  An invitation
-- keeps its own; a corrected one has another invitation.
UPDATE cvms.messages AS message
SET
    status = 'waiting',
    attempts = 0,
    next_attempt_at = :now,
    addresses = CASE message.kind
        WHEN 'notice' THEN coalesce(found.emails, message.addresses)
        WHEN 'alert' THEN ARRAY[CAST(:data_ops AS text)]
        ELSE message.addresses
    END
FROM (
    SELECT refused.id, provider.emails
    FROM cvms.messages AS refused
    LEFT JOIN cvms.uploads AS upload ON refused.upload_id = upload.id
    LEFT JOIN cvms.providers AS provider ON upload.provider = provider.slug
    WHERE refused.id = ANY(CAST(:message_ids AS uuid [])) AND refused.status = 'refused'
    FOR UPDATE OF refused
) AS found
WHERE message.id = found.id
RETURNING CAST(message.id AS text) AS id
