-- Answers "what came in, from whom, and how did it go?" in one look, for the uploads
-- received since a moment.
SELECT
    provider,
    count(*) AS uploads,
    count(*) FILTER (WHERE status = 'refused') AS refused,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE finished_at IS NULL) AS waiting,
    sum(rows) AS rows,
    sum(loaded) AS loaded,
    sum(updated) AS updated,
    sum(rejected) AS rejected
FROM cvms.uploads
WHERE received_at >= :since
GROUP BY provider
ORDER BY provider NULLS LAST
