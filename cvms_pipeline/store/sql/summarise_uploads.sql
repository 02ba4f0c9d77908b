-- Counts the uploads and rows of each provider, for the uploads received since a
-- moment, and how long half of their notices took at most.  Rows of refused files are
-- among the rejected ones, if they were counted.
SELECT
    upload.provider,
    count(*) AS uploads,
    count(*) FILTER (WHERE upload.status = 'refused') AS refused,
    count(*) FILTER (WHERE upload.status = 'failed') AS failed,
    count(*) FILTER (WHERE upload.status IN ('received', 'processing')) AS waiting,
    sum(upload.rows + coalesce(upload.refused_rows, 0)) AS rows,
    coalesce(sum(upload.loaded) FILTER (WHERE upload.withdrawn_at IS NULL), 0) AS loaded,
    coalesce(sum(upload.updated) FILTER (WHERE upload.withdrawn_at IS NULL), 0)
    AS updated,
    sum(upload.rejected + coalesce(upload.refused_rows, 0)) AS rejected,
    percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(EPOCH FROM notice.sent_at - upload.received_at)
    ) AS seconds_to_notice
FROM cvms.uploads AS upload
LEFT JOIN cvms.messages AS notice
    ON notice.purpose = 'notice:' || upload.id AND notice.kind = 'notice'
WHERE upload.received_at >= :since
GROUP BY upload.provider
ORDER BY upload.provider NULLS LAST
