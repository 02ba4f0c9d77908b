-- How many tasks Celery's broker holds for a worker; delivered ones stay, unseen.
SELECT count(*) AS number FROM celery.kombu_message WHERE visible
