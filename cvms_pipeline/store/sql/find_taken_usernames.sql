-- Finds the lines for which a stored recipient has the username of first choice: all
-- usernames in one pass through the unique index, in its order.
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
