-- The newest invitation of each of these recipients.
SELECT DISTINCT ON (found.recipient_id)
    CAST(found.recipient_id AS text) AS recipient_id,
    CAST(found.id AS text) AS id,
    found.status,
    found.last_error,
    found.queued_at,
    found.sent_at
FROM (
    SELECT *
    FROM cvms.messages
    WHERE id = ANY(CAST(:ids AS uuid [])) AND kind = 'invitation'
    UNION ALL
    SELECT *
    FROM cvms.messages
    WHERE recipient_id = ANY(CAST(:ids AS uuid []))
        AND recipient_id <> id
        AND kind = 'invitation'
) AS found
ORDER BY found.recipient_id, found.queued_at DESC, found.id DESC
