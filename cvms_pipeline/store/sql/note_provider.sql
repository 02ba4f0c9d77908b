-- Notes with a refused message to a recipient whose it is, so that each provider's are
-- found without everybody's.
UPDATE cvms.messages AS message
SET details = message.details || jsonb_build_object('provider', recipient.provider)
FROM cvms.recipients AS recipient
WHERE message.id = CAST(:message_id AS uuid)
    AND recipient.id = message.recipient_id
