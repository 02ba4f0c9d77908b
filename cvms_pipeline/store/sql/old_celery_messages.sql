-- kombu's transport keeps what it has delivered as invisible rows, and its search for
-- the next message has to step over them.
SELECT id FROM celery.kombu_message WHERE NOT visible
