-- Counts the uploads and rows with each reason, for all uploads received since a
-- moment; a refused file counts no rows.
SELECT
    given.code,
    count(*) AS uploads,
    sum(given.rows) AS rows
FROM (
    SELECT refusal_code AS code, 0 AS rows
    FROM cvms.uploads
    WHERE received_at >= :since AND refusal_code IS NOT NULL
    UNION ALL
    SELECT reason.key AS code, CAST(reason.value AS integer) AS rows
    FROM cvms.uploads AS upload
    CROSS JOIN LATERAL jsonb_each_text(upload.reasons) AS reason
    WHERE upload.received_at >= :since
) AS given
GROUP BY given.code
ORDER BY rows DESC, uploads DESC, given.code
