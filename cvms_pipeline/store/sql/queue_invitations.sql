-- Queues one invitation for each recipient of an upload: run once, in the transaction
-- that loads it.  The message has its recipient's id.  It is queued for when it is due:
-- until then, nobody has claimed it.
INSERT INTO cvms.messages (
    id, purpose, kind, upload_id, recipient_id, addresses, queued_at, next_attempt_at
)
SELECT
    id, 'invitation:' || id, 'invitation', upload_id, id, ARRAY[email], :due_at, :due_at
FROM cvms.recipients
WHERE upload_id = :upload_id
