-- Selects results of asset checks whose runs have been removed.  Results without a run
-- are those of the check that a sensor reports; of these, the last of each day is kept.
WITH results AS (
    SELECT
        id,
        run_id,
        row_number() OVER (
            PARTITION BY
                asset_key,
                check_name,
                run_id,
                date_trunc(
                    'day', create_timestamp AT TIME ZONE 'UTC' AT TIME ZONE :zone
                )
            ORDER BY id DESC
        ) AS place
    FROM dagster.asset_check_executions
    WHERE create_timestamp < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
)

SELECT results.id
FROM results
WHERE
    CASE
        WHEN coalesce(results.run_id, '') = '' THEN results.place > 1
        ELSE NOT EXISTS (
            SELECT FROM dagster.runs WHERE runs.run_id = results.run_id
        )
    END
