-- Finds whose username of first choice (DESIGN 5) somebody has who is stored: all usernames
-- in one walk through the unique index, in its order.
WITH wanted AS (
    SELECT
        line,
        email_key || lower(:suffix) AS username
    FROM pg_temp.upload_keys
)

SELECT wanted.line
FROM wanted
WHERE
    wanted.username IN (
        SELECT lower(recipient.username)
        FROM cvms.recipients AS recipient
        WHERE lower(recipient.username) = ANY(ARRAY(SELECT username FROM wanted))
    )
