-- Whether the last run of the retention job has failed: it has no upload that would
-- be marked, and nobody looks at it of their own accord.
SELECT status = 'FAILURE' AS is_failed
FROM dagster.runs
WHERE pipeline_name = 'retention' AND status IN ('SUCCESS', 'FAILURE')
ORDER BY id DESC
LIMIT 1
