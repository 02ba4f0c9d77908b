-- How many seconds the last 50 uploads of a lane took from their receipt to their
-- outcome, whoever sent them: half of them, and nine in ten.  NULL if there are fewer
-- than five.
SELECT
    CASE WHEN count(*) >= 5 THEN
        percentile_cont(0.5) WITHIN GROUP (ORDER BY latest.seconds)
    END AS median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY latest.seconds) AS most
FROM (
    SELECT extract(EPOCH FROM upload.decided_at - upload.received_at) AS seconds
    FROM cvms.uploads AS upload
    WHERE upload.lane = :lane AND upload.decided_at IS NOT NULL
    ORDER BY upload.received_at DESC
    LIMIT 50
) AS latest
