-- Finds whose username of first choice (DESIGN 5) somebody has who is stored: one probe
-- of the unique index a row (LIMIT keeps the planner from reading the whole table).
SELECT wanted.line
FROM pg_temp.wanted_usernames AS wanted
WHERE (
    SELECT recipient.id
    FROM cvms.recipients AS recipient
    WHERE lower(recipient.username) = wanted.email_key || lower(:suffix)
    LIMIT 1
) IS NOT NULL
