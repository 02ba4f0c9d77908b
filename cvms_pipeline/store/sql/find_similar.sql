-- Finds the stored people whom the rows of an upload resemble, with another match key:
-- names swapped; another last name; day and month of the birth date swapped.  The first
-- takes one probe of the unique index a row. The other two need the same e-mail address,
-- so only the few rows with a taken username (`lines`) are looked at, each address once.
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT email_key FROM pg_temp.upload_keys WHERE line = ANY(:lines)
),

sharing AS MATERIALIZED (
    SELECT
        wanted.email_key,
        found.first_key,
        found.last_key,
        found.birth_date,
        found.provider,
        found.upload_id,
        found.source_line
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT *
        FROM cvms.recipients AS recipient
        WHERE lower(recipient.username) = wanted.email_key || lower(:suffix)
            AND lower(recipient.email) = wanted.email_key
        UNION ALL
        SELECT *
        FROM cvms.recipients AS recipient
        WHERE lower(recipient.email) = wanted.email_key
            AND recipient.username_number > 1
    ) AS found
),

-- One of each provider, so that hundreds who differ only in their last names do not
-- become hundreds of pairs for each row.
namesakes AS MATERIALIZED (
    SELECT DISTINCT ON (email_key, first_key, birth_date, provider) *
    FROM sharing
    ORDER BY email_key, first_key, birth_date, provider, upload_id, source_line
)

SELECT
    upload_keys.line,
    'swapped-names' AS likeness,
    stored.upload_id AS upload,
    stored.source_line AS other_line,
    stored.provider
FROM pg_temp.upload_keys
CROSS JOIN LATERAL (
    SELECT *
    FROM cvms.recipients AS recipient
    WHERE recipient.first_key = upload_keys.last_key
        AND recipient.last_key = upload_keys.first_key
        AND recipient.birth_date = upload_keys.birth_date
    LIMIT 1
) AS stored
UNION ALL
SELECT
    upload_keys.line,
    'other-last-name' AS likeness,
    namesakes.upload_id AS upload,
    namesakes.source_line AS other_line,
    namesakes.provider
FROM pg_temp.upload_keys
INNER JOIN namesakes USING (email_key, first_key, birth_date)
WHERE namesakes.last_key <> upload_keys.last_key
UNION ALL
SELECT
    upload_keys.line,
    'swapped-day-and-month' AS likeness,
    sharing.upload_id AS upload,
    sharing.source_line AS other_line,
    sharing.provider
FROM pg_temp.upload_keys
INNER JOIN sharing USING (email_key, first_key, last_key)
WHERE extract(DAY FROM upload_keys.birth_date) <= 12
    AND upload_keys.birth_date <> sharing.birth_date
    AND extract(YEAR FROM upload_keys.birth_date)
    = extract(YEAR FROM sharing.birth_date)
    AND extract(MONTH FROM upload_keys.birth_date)
    = extract(DAY FROM sharing.birth_date)
    AND extract(DAY FROM upload_keys.birth_date)
    = extract(MONTH FROM sharing.birth_date)
ORDER BY line, upload, other_line
