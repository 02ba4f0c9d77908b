-- Writes down the usernames of first choice (DESIGN 5), which nobody needs to read where
-- all are free.
UPDATE pg_temp.planned_rows
SET username = email || :suffix
WHERE username_number = 1
