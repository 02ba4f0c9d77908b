-- Selects the results of tasks, which Celery itself removes only where its `beat` runs.
SELECT id
FROM celery.celery_taskmeta
WHERE date_done < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
