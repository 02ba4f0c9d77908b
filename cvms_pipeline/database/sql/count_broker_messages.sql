-- Counts the tasks that wait at Celery's broker; delivered ones remain there,
-- invisible.
SELECT count(*) AS number FROM celery.kombu_message WHERE visible
