-- Selects what a sensor reported about a day (the overview) or a partition, and reported
-- again on the same day; the last report of each earlier day is kept.
WITH reports AS (
    SELECT
        id,
        row_number() OVER (
            PARTITION BY
                asset_key,
                dagster_event_type,
                partition,
                date_trunc('day', timestamp AT TIME ZONE 'UTC' AT TIME ZONE :zone)
            ORDER BY id DESC
        ) AS place
    FROM dagster.event_logs
    WHERE run_id = ''
        AND timestamp < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
)

SELECT id FROM reports WHERE place > 1
