-- Adds an invitation that was refused permanently to its provider's message of a day,
-- which this queues if there is none.  Adds nothing, and changes no row, if somebody has
-- begun to send that message: it was never claimed as long as it is due when it was
-- queued for.  Its line is that of the correction, if the invitation is of one.
INSERT INTO cvms.messages AS message (
    purpose, kind, addresses, details, queued_at, next_attempt_at
)
SELECT
    'refused-addresses:' || recipient.provider || ':' || :day,
    'refused-addresses',
    provider.emails,
    jsonb_build_object(
        'provider', recipient.provider,
        'refused', jsonb_build_array(
            jsonb_build_object(
                'upload', refused.upload_id,
                'line', coalesce(change.source_line, recipient.source_line),
                'error', refused.last_error
            )
        )
    ),
    :due_at,
    :due_at
FROM cvms.messages AS refused
INNER JOIN cvms.recipients AS recipient ON refused.recipient_id = recipient.id
INNER JOIN cvms.providers AS provider ON recipient.provider = provider.slug
LEFT JOIN cvms.recipient_changes AS change ON refused.id = change.id
WHERE refused.id = CAST(:message_id AS uuid)
ON CONFLICT (purpose) WHERE kind <> 'invitation' DO UPDATE
SET details = jsonb_set(
    message.details,
    '{refused}',
    (message.details -> 'refused') || (excluded.details -> 'refused')
)
WHERE message.status = 'waiting'
    AND message.attempts = 0
    AND message.next_attempt_at = message.queued_at
