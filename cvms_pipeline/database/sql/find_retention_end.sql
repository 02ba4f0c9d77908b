-- Finds out whether the last run of the retention job has failed: that run has no
-- upload that would be marked as failed, so nothing else shows it.
SELECT status = 'FAILURE' AS is_failed
FROM dagster.runs
WHERE pipeline_name = 'retention' AND status IN ('SUCCESS', 'FAILURE')
ORDER BY id DESC
LIMIT 1
