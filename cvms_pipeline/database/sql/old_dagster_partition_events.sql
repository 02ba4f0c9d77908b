-- Selects what a sensor reported about a partition that has been removed since: these
-- events belong to no run, so Dagster's own deletions do not reach them.
SELECT event.id
FROM dagster.event_logs AS event
WHERE event.run_id = ''
    AND event.partition IS NOT NULL
    AND event.timestamp < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
    AND NOT EXISTS (
        SELECT FROM dagster.dynamic_partitions AS live
        WHERE live.partition = event.partition
    )
