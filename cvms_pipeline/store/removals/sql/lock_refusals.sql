-- Locks the messages that are to tell a provider of refused invitations.
SELECT id
FROM cvms.messages
WHERE kind = 'refused-addresses'
    AND status = 'waiting'
    AND details ->> 'provider' = :provider
ORDER BY id
FOR NO KEY UPDATE
