-- Makes messages due at once that wait only because the mail server could not be
-- reached.  Not those that were tried a moment ago: a server that breaks off at one
-- message would be given that one again and again.
UPDATE cvms.messages
SET next_attempt_at = :now
WHERE status = 'waiting'
    AND last_error = :error_kind
    AND next_attempt_at > :now
    AND next_attempt_at - least(
        :longest_wait, :first_wait * power(2, least(attempts, 20) - 1)
    ) < :tried_before
