-- Whether a task waits: asked ten times a second, on the broker's own connection, whose
-- schema is not ours to say.
SELECT true FROM kombu_message WHERE visible LIMIT 1
