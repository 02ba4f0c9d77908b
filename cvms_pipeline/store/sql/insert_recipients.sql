-- Loads the new recipients.  A row that a racing upload stored first inserts nothing: the
-- count tells, and the caller decides anew.  In order of key, like every other writer, so
-- that two uploads cannot block each other.
INSERT INTO cvms.recipients (
    id, first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
SELECT
    new_id, first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, :provider, :upload_id, line, :now
FROM pg_temp.planned_rows
WHERE action = 'insert' AND recipient_id IS NULL
ORDER BY first_key, last_key, birth_date
ON CONFLICT ON CONSTRAINT recipients_match_key DO NOTHING
