-- Queues one invitation for each recipient of an upload: run once, in the transaction
-- that loads it.  The message has its recipient's id.
INSERT INTO cvms.messages (
    id, purpose, kind, upload_id, recipient_id, addresses, queued_at, next_attempt_at
)
SELECT
    id, 'invitation:' || id, 'invitation', upload_id, id, ARRAY[email], :now, :now
FROM cvms.recipients
WHERE upload_id = :upload_id
