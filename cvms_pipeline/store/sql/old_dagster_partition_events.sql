-- What a sensor reported of a partition that has been removed since: no run owns these
-- events, so none of Dagster's own deletions reaches them.
SELECT event.id
FROM dagster.event_logs AS event
WHERE event.run_id = ''
    AND event.partition IS NOT NULL
    AND event.timestamp < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
    AND NOT EXISTS (
        SELECT FROM dagster.dynamic_partitions AS live
        WHERE live.partitions_def_name = :partitions
            AND live.partition = event.partition
    )
