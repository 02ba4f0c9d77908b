-- Finds the uploads with runs in Dagster's queue, so that no run is requested twice and
-- no provider fills the queue; indexes on the status and on the tags of runs serve it.
SELECT partition.value AS upload_id, provider.value AS provider, lane.value AS lane
FROM dagster.runs AS run
INNER JOIN dagster.run_tags AS partition
    ON run.run_id = partition.run_id AND partition.key = 'dagster/partition'
INNER JOIN dagster.run_tags AS provider
    ON run.run_id = provider.run_id AND provider.key = 'cvms/provider'
INNER JOIN dagster.run_tags AS lane
    ON run.run_id = lane.run_id AND lane.key = 'cvms/lane'
WHERE run.status = 'QUEUED'
