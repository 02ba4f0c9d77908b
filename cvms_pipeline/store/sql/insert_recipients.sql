-- Loads the new recipients that were staged.  A row that another upload stored first,
-- or with a taken username, inserts nothing; the caller compares the count.  Rows are
-- inserted in order of key, as every other writer does, so that two uploads rarely
-- block each other.
INSERT INTO cvms.recipients (
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at
)
SELECT
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, :provider, :upload_id, line, :now
FROM pg_temp.planned_rows
WHERE action = 'insert'
ORDER BY first_key, last_key, birth_date
ON CONFLICT DO NOTHING
