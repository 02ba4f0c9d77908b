-- Queues another invitation of a recipient, with another link: from the moment when it
-- is sent the earlier link is dead.
WITH made AS MATERIALIZED (SELECT cvms.new_id() AS id)

INSERT INTO cvms.messages (
    id, purpose, kind, upload_id, recipient_id, addresses, details, queued_at,
    next_attempt_at
)
SELECT
    made.id,
    'invitation:' || recipient.id || ':' || made.id,
    'invitation', recipient.upload_id, recipient.id, ARRAY[recipient.email],
    '{"again": true}', :now, :now
FROM made
INNER JOIN cvms.recipients AS recipient
    ON recipient.id = CAST(:recipient_id AS uuid)
RETURNING CAST(id AS text) AS id
