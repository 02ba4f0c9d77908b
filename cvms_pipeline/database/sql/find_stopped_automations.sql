-- Our sensors and schedules that a person has stopped: nobody notices what does not run.
-- The latest row of a name counts: older ones can be of a code location that was renamed.
SELECT name
FROM (
    SELECT DISTINCT ON (name) name, status
    FROM (
        SELECT
            id,
            instigator_body::json -> 'origin' ->> 'job_name' AS name,
            status,
            update_timestamp
        FROM dagster.instigators
    ) AS states
    ORDER BY name, update_timestamp DESC, id DESC
) AS latest
WHERE
    status = 'STOPPED'
    AND name IN (
        'incoming_uploads',
        'waiting_messages',
        'failed_runs',
        'lost_runs',
        'overview',
        'funnel',
        'nightly_retention'
    )
ORDER BY name
