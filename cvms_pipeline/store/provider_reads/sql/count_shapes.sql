-- What the rejected cells of a provider's last uploads look like: how many rows with a
-- reason have a cell of each shape.  Only names of shapes leave the database, no cell.
-- Of each upload the first hundred rows are looked at.
WITH latest AS (
    SELECT upload.id
    FROM cvms.uploads AS upload
    WHERE upload.provider = :provider
        AND upload.decided_at IS NOT NULL
        AND upload.refusal_code IS NULL
    ORDER BY upload.received_at DESC
    LIMIT :uploads
),

looked_at AS (
    SELECT rejected.*
    FROM latest
    CROSS JOIN LATERAL (
        SELECT *
        FROM cvms.rejected_rows AS row
        WHERE row.upload_id = latest.id
        ORDER BY row.line
        LIMIT 100
    ) AS rejected
),

shaped AS (
    SELECT
        code.code,
        CASE code.code
            WHEN 'birth-date-invalid' THEN CASE
                WHEN birth_date ~ '^\s*\d{4}-\d{1,2}-\d{1,2}' THEN 'YYYY-MM-DD'
                WHEN birth_date ~ '^\s*\d{4}/\d{1,2}/\d{1,2}' THEN 'YYYY/MM/DD'
                WHEN birth_date ~ '^\s*\d{1,2}\.\d{1,2}\.\d{4}' THEN 'DD.MM.YYYY'
                WHEN birth_date ~ '^\s*\d{1,2}-\d{1,2}-\d{4}' THEN 'MM-DD-YYYY'
                WHEN birth_date ~ '^\s*\d{1,2}/\d{1,2}/\d{2}\s*$' THEN 'M/D/YY'
                WHEN birth_date ~ '^\s*(1[3-9]|2\d|3[01])/0?\d{1,2}/\d{4}\s*$'
                    THEN 'DD/MM/YYYY'
                WHEN birth_date ~ '^\s*\d{8}\s*$' THEN 'YYYYMMDD'
                WHEN birth_date ~ '^\s*\d{4,5}\s*$' THEN 'serial number'
                WHEN birth_date ~ '^[^/]*[A-Za-z]{3}' THEN 'month as a word'
            END
            WHEN 'required-missing' THEN CASE
                WHEN btrim(email) = '' THEN 'email'
                WHEN btrim(birth_date) = '' THEN 'birth_date'
                WHEN btrim(last_name) = '' THEN 'last_name'
                WHEN btrim(first_name) = '' THEN 'first_name'
            END
            WHEN 'email-invalid' THEN CASE
                WHEN email ~ '@.*@' THEN 'several'
                WHEN email !~ '@' THEN 'no @'
            END
        END AS shape
    FROM looked_at
    CROSS JOIN LATERAL unnest(looked_at.codes) AS code (code)
)

SELECT
    shaped.code,
    shaped.shape,
    count(*) AS rows,
    (SELECT count(*) FROM shaped AS every WHERE every.code = shaped.code) AS of_rows
FROM shaped
WHERE shaped.shape IS NOT NULL
GROUP BY shaped.code, shaped.shape
ORDER BY rows DESC, shaped.shape
