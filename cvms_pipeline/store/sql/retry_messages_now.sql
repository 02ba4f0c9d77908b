-- Makes messages due now that wait only because the mail server could not be reached,
-- and begins their waits anew, because those attempts say nothing about their
-- addresses; but not those that were tried a moment ago: otherwise a server that closes the
-- connection at one message would get that message again and again.  `waits` are those
-- after the first attempt, the second and so on; the last of them is that of all later
-- ones.
UPDATE cvms.messages
SET
    next_attempt_at = :now,
    attempts = 0
WHERE status = 'waiting'
    AND last_error = :error_kind
    AND next_attempt_at > :now
    AND next_attempt_at - (CAST(:waits AS interval[]))[
        least(attempts, cardinality(CAST(:waits AS interval[])))
    ] < :tried_before
