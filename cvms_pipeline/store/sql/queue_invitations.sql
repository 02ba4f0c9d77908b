-- Queues one invitation for each recipient that `insert_recipients` has loaded: run only
-- when all of them were.
INSERT INTO cvms.messages (
    id, purpose, kind, upload_id, recipient_id, addresses, queued_at, next_attempt_at
)
SELECT
    message_id, 'invitation:' || new_id, 'invitation', :upload_id, new_id, ARRAY[email],
    :now, :now
FROM pg_temp.planned_rows
WHERE action = 'insert' AND recipient_id IS NULL
