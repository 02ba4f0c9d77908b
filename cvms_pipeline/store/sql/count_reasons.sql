-- Answers "why was it not taken?" for all uploads received since a moment: how many
-- uploads and rows there are of each reason; of a refused file, no rows.
SELECT
    told.code,
    count(*) AS uploads,
    sum(told.rows) AS rows
FROM (
    SELECT refusal_code AS code, 0 AS rows
    FROM cvms.uploads
    WHERE received_at >= :since AND refusal_code IS NOT NULL
    UNION ALL
    SELECT reason.key AS code, CAST(reason.value AS integer) AS rows
    FROM cvms.uploads AS upload
    CROSS JOIN LATERAL jsonb_each_text(upload.reasons) AS reason
    WHERE upload.received_at >= :since
) AS told
GROUP BY told.code
ORDER BY rows DESC, uploads DESC, told.code
