-- What a sensor reported about a day (the overview, the standing check) and then again
-- on the same day: of each day before yesterday the last word is enough.
WITH told AS (
    SELECT
        id,
        row_number() OVER (
            PARTITION BY
                asset_key,
                dagster_event_type,
                date_trunc('day', timestamp AT TIME ZONE 'UTC' AT TIME ZONE :zone)
            ORDER BY id DESC
        ) AS place
    FROM dagster.event_logs
    WHERE run_id = ''
        AND partition IS NULL
        AND timestamp < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
)

SELECT id FROM told WHERE place > 1
