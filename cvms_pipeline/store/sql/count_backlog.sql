-- Counts what waits, for monitoring.  It runs every few seconds, so each number comes
-- from the few unfinished entries of an index.  Refused messages count while their
-- provider or recipient still has the refused address.
-- A message that is queued for later, such as an invitation of an upload that can still
-- be withdrawn, does not wait yet.
SELECT
    waiting.number AS uploads_waiting,
    oldest.id AS oldest_upload,
    oldest.received_at AS oldest_upload_at,
    failed.number AS uploads_failed,
    unsent.number AS messages_unsent,
    unsent.oldest_at AS oldest_message_at,
    refused.notices AS notices_refused,
    refused.invitations AS invitations_refused,
    first.number + refused.first_invitations AS never_invited,
    refused.alerts AS alerts_refused,
    refused.help_desk AS help_desk_refused,
    refused.cases AS cases_refused,
    refused.accounts AS accounts_refused,
    oldest.failure AS oldest_upload_failure,
    broken.id AS failed_upload,
    broken.failure AS failed_upload_failure,
    tried.last_error AS message_error
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
        AND queued_at <= now()
) AS unsent
CROSS JOIN (
    SELECT count(*) AS number
    FROM cvms.messages
    WHERE status = 'waiting'
        AND kind = 'invitation'
        AND details ->> 'again' IS NULL
) AS first
CROSS JOIN (
    SELECT
        count(*) FILTER (
            WHERE message.kind IN ('notice', 'refused-addresses', 'delay')
                AND provider.is_enabled
                AND provider.emails = message.addresses
        ) AS notices,
        count(*) FILTER (
            WHERE message.kind IN ('invitation', 'recipient')
                AND recipient.removed_at IS NULL
                AND message.addresses = ARRAY[recipient.email]
        ) AS invitations,
        count(*) FILTER (
            WHERE message.kind = 'invitation'
                AND message.details ->> 'again' IS NULL
                AND recipient.removed_at IS NULL
                AND recipient.password_set_at IS NULL
                AND message.addresses = ARRAY[recipient.email]
        ) AS first_invitations,
        count(*) FILTER (WHERE message.kind = 'alert') AS alerts,
        count(*) FILTER (
            WHERE message.kind = 'case'
                AND message.details -> 'staff' = 'true'
        ) AS help_desk,
        count(*) FILTER (
            WHERE message.kind = 'case'
                AND message.details -> 'staff' IS DISTINCT FROM 'true'
        ) AS cases,
        count(*) FILTER (WHERE message.kind = 'account') AS accounts
    FROM cvms.messages AS message
    LEFT JOIN cvms.uploads AS upload ON message.upload_id = upload.id
    LEFT JOIN cvms.providers AS provider
        ON coalesce(upload.provider, message.details ->> 'provider') = provider.slug
    LEFT JOIN cvms.recipients AS recipient ON message.recipient_id = recipient.id
    WHERE message.status = 'refused'
) AS refused
LEFT JOIN LATERAL (
    SELECT id, received_at, failure
    FROM cvms.uploads
    WHERE status IN ('received', 'processing')
    ORDER BY received_at, id
    LIMIT 1
) AS oldest ON true
LEFT JOIN LATERAL (
    SELECT id, failure
    FROM cvms.uploads
    WHERE status = 'failed'
    ORDER BY received_at DESC, id DESC
    LIMIT 1
) AS broken ON true
LEFT JOIN LATERAL (
    SELECT last_error
    FROM cvms.messages
    WHERE status = 'waiting' AND last_error IS NOT NULL
    ORDER BY attempts DESC, id
    LIMIT 1
) AS tried ON true
