-- Gives planned rows without a username the next numbers of their e-mail address: `.2`,
-- `.3` and so on.  The highest number comes from an index of shared addresses only, so
-- the people who share one are not counted.  If somebody's real address is equal to the
-- result (a@b.org.2), the row gets no username, and a higher number in the next round.
WITH placed AS (
    SELECT
        line,
        email,
        lower(email) AS email_key,
        username IS NULL AS is_open,
        max(username_number) OVER (PARTITION BY lower(email)) AS highest,
        row_number() OVER (
            PARTITION BY lower(email), username IS NULL ORDER BY line
        ) AS place
    FROM pg_temp.planned_rows
),

numbered AS (
    SELECT
        placed.line,
        placed.email,
        placed.place + greatest(
            1,
            placed.highest,
            (
                SELECT max(recipient.username_number)
                FROM cvms.recipients AS recipient
                WHERE lower(recipient.email) = placed.email_key
                    AND recipient.username_number > 1
            )
        ) AS number
    FROM placed
    WHERE placed.is_open
),

named AS (
    SELECT line, number, email || '.' || number || :suffix AS username
    FROM numbered
),

tested AS (
    SELECT
        named.line,
        named.number,
        named.username,
        (
            SELECT recipient.id
            FROM cvms.recipients AS recipient
            WHERE lower(recipient.username) = lower(named.username)
            LIMIT 1
        ) IS NULL
        AND lower(named.username) NOT IN (
            SELECT lower(planned.username)
            FROM pg_temp.planned_rows AS planned
            WHERE planned.username IS NOT NULL
        )
        AND row_number() OVER (
            PARTITION BY lower(named.username) ORDER BY named.line
        ) = 1 AS is_free
    FROM named
)

UPDATE pg_temp.planned_rows AS planned
SET
    username_number = tested.number,
    username = CASE WHEN tested.is_free THEN tested.username END
FROM tested
WHERE planned.line = tested.line
