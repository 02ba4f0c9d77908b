-- Counts the unfinished runs; Dagster's index on the status serves it.
SELECT
    count(*) FILTER (WHERE status IN ('NOT_STARTED', 'QUEUED', 'SUSPENDED')) AS queued,
    count(*) FILTER (WHERE status IN ('STARTING', 'STARTED', 'CANCELING')) AS running
FROM dagster.runs
WHERE status IN (
    'NOT_STARTED', 'QUEUED', 'SUSPENDED', 'STARTING', 'STARTED', 'CANCELING'
)
