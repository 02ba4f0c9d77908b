-- Selects delivered messages: kombu's transport keeps them as invisible rows, which
-- slow down its search for the next message.
SELECT id FROM celery.kombu_message WHERE NOT visible
