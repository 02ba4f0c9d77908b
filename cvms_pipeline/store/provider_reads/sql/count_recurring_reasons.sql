-- For the last uploads of a provider that were read: in how many each reason occurred
-- and for how many rows, most rows first; with the number of these uploads and of all
-- their rejected rows.
WITH latest AS (
    SELECT upload.reasons, upload.rejected
    FROM cvms.uploads AS upload
    WHERE upload.provider = :provider
        AND upload.decided_at IS NOT NULL
        AND upload.refusal_code IS NULL
    ORDER BY upload.received_at DESC
    LIMIT :uploads
)

SELECT
    reason.key AS code,
    count(*) AS uploads,
    sum(CAST(reason.value AS integer)) AS rows,
    (SELECT count(*) FROM latest) AS latest_uploads,
    (SELECT sum(each.rejected) FROM latest AS each) AS latest_rows
FROM latest
CROSS JOIN LATERAL jsonb_each_text(latest.reasons) AS reason
GROUP BY reason.key
ORDER BY rows DESC, reason.key
