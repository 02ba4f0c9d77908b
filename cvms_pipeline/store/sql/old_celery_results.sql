-- How tasks ended, which Celery forgets by itself only where its `beat` runs.
SELECT id
FROM celery.celery_taskmeta
WHERE date_done < CAST(:before AS timestamptz) AT TIME ZONE 'UTC'
