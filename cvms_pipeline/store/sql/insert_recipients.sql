-- Loads the new recipients whose username has a number.  A row that a racing upload
-- stored first, or whose username is taken, inserts nothing: the count tells, and the
-- caller looks why.  In order of key, like every other writer, so that two uploads
-- seldom block each other.
INSERT INTO cvms.recipients (
    id, first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
SELECT
    new_id, first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, :provider, :upload_id, line, :now
FROM pg_temp.planned_rows
WHERE action = 'insert'
ORDER BY first_key, last_key, birth_date
ON CONFLICT DO NOTHING
