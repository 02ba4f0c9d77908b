-- Finds out whether a task waits.  It runs ten times a second, on the broker's own
-- connection, which has the broker's schema as its search path.
SELECT true FROM kombu_message WHERE visible LIMIT 1
