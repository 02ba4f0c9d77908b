-- Takes the first-choice username (DESIGN 5) away from planned rows for which someone who
-- is stored has it; `number_usernames` then gives them a numbered one.
UPDATE pg_temp.planned_rows AS planned
SET username = NULL
WHERE planned.username IS NOT NULL
    AND (
        SELECT recipient.id
        FROM cvms.recipients AS recipient
        WHERE lower(recipient.username) = lower(planned.username)
        LIMIT 1
    ) IS NOT NULL
