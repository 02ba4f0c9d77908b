-- Finds which usernames of first choice (DESIGN 5) somebody has who is stored: all in one
-- walk through the unique index, in its order.
SELECT lower(recipient.username) AS username
FROM cvms.recipients AS recipient
WHERE lower(recipient.username) = ANY(
    ARRAY(SELECT wanted.username FROM pg_temp.wanted_usernames AS wanted)
)
