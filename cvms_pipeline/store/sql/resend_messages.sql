-- Makes refused messages due again, with the addresses that they would have if they
-- were queued now, because a refused address may have been corrected since.  An
-- invitation keeps its address; a corrected recipient has another invitation.  Where
-- a notice goes, find_notice_addresses says.
UPDATE cvms.messages AS message
SET
    status = 'waiting',
    attempts = 0,
    next_attempt_at = :now,
    addresses = CASE message.kind
        WHEN 'refused-addresses' THEN coalesce(found.emails, message.addresses)
        WHEN 'delay' THEN coalesce(found.emails, message.addresses)
        WHEN 'alert' THEN ARRAY[CAST(:data_ops AS text)]
        WHEN 'case' THEN CASE
            WHEN message.details -> 'staff' = 'true'
                THEN coalesce(CAST(:help_desk AS text []), message.addresses)
            ELSE message.addresses
        END
        ELSE message.addresses
    END
FROM (
    SELECT refused.id, provider.slug AS provider, provider.emails
    FROM cvms.messages AS refused
    LEFT JOIN cvms.uploads AS upload ON refused.upload_id = upload.id
    LEFT JOIN cvms.providers AS provider
        ON coalesce(upload.provider, refused.details ->> 'provider') = provider.slug
    WHERE refused.status = 'refused'
        AND CAST(refused.id AS text) = ANY(CAST(:message_ids AS text []))
    FOR UPDATE OF refused
) AS found
WHERE message.id = found.id
RETURNING CAST(message.id AS text) AS id, message.kind, message.upload_id, found.provider
