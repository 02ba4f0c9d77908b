-- Withdraws the invitations of a removed recipient that wait or were refused: nobody
-- sends them any more, not even again.  The first one has the id of the recipient, each
-- other one that of a correction.  Sent ones stay as they are.
UPDATE cvms.messages
SET status = 'withdrawn'
WHERE kind = 'invitation'
    AND status IN ('waiting', 'refused')
    AND id IN (
        SELECT CAST(:recipient_id AS uuid)
        UNION ALL
        SELECT change.id
        FROM cvms.recipient_changes AS change
        WHERE change.recipient_id = :recipient_id
    )
