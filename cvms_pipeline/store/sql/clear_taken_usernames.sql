-- Clears the username of first choice of planned rows for which a stored recipient has
-- it; `number_usernames` then gives them a numbered one.
UPDATE pg_temp.planned_rows AS planned
SET username = NULL
WHERE planned.username IS NOT NULL
    AND (
        SELECT recipient.id
        FROM cvms.recipients AS recipient
        WHERE lower(recipient.username) = lower(planned.username)
        LIMIT 1
    ) IS NOT NULL
