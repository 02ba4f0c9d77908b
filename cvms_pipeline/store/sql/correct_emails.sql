-- Corrects e-mail addresses, records each change, and queues an invitation to the new
-- address; one that still waits for the old address is withdrawn once it is due.  The
-- conditions are those the rows were decided and locked by; the count tells if one no
-- longer held.  No link that went to the old address works from then on, not even if the
-- address is corrected back.
WITH corrected AS (
    UPDATE cvms.recipients AS recipient
    SET
        email = planned.email,
        username = planned.username,
        username_number = planned.username_number,
        link_id = cvms.new_id(),
        denied_at = NULL
    FROM pg_temp.planned_rows AS planned
    INNER JOIN cvms.recipients AS before ON planned.recipient_id = before.id
    WHERE planned.action = 'update'
        AND recipient.id = planned.recipient_id
        AND recipient.provider = :provider
        AND recipient.password_set_at IS NULL
        AND recipient.removed_at IS NULL
    RETURNING
        recipient.id,
        before.email AS old_email,
        recipient.email AS new_email,
        before.username AS old_username,
        recipient.username AS new_username,
        planned.line
),

recorded AS (
    INSERT INTO cvms.recipient_changes (
        recipient_id, old_email, new_email, old_username, new_username, upload_id,
        source_line, changed_at
    )
    SELECT id, old_email, new_email, old_username, new_username, :upload_id, line, :now
    FROM corrected
    RETURNING id, recipient_id, new_email
)

INSERT INTO cvms.messages (
    id, purpose, kind, upload_id, recipient_id, addresses, queued_at, next_attempt_at
)
SELECT
    id,
    'invitation:' || recipient_id || ':' || id,
    'invitation', :upload_id, recipient_id, ARRAY[new_email], :due_at, :due_at
FROM recorded
