-- Loads the new recipients and queues one invitation each.  A row that a racing upload
-- stored first inserts nothing: the count tells, and the caller decides anew.  In order
-- of key, like every other writer, so that two uploads cannot block each other.
WITH inserted AS (
    INSERT INTO cvms.recipients (
        first_name, last_name, birth_date, email, first_key, last_key, username,
        username_number, provider, upload_id, source_line, loaded_at
    )
    SELECT
        first_name, last_name, birth_date, email, first_key, last_key, username,
        username_number, :provider, :upload_id, line, :now
    FROM pg_temp.planned_rows
    WHERE action = 'insert' AND recipient_id IS NULL
    ORDER BY first_key, last_key, birth_date
    ON CONFLICT ON CONSTRAINT recipients_match_key DO NOTHING
    RETURNING id, email
)

INSERT INTO cvms.messages (
    purpose, kind, upload_id, recipient_id, addresses, queued_at, next_attempt_at
)
SELECT
    'invitation:' || id, 'invitation', :upload_id, id, ARRAY[email], :now, :now
FROM inserted
