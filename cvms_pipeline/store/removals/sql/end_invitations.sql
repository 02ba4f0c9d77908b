-- Withdraws the messages to a removed recipient that wait or were refused: nobody sends
-- them any more, not even again.  The first invitation has the id of the recipient.  Sent
-- ones stay as they are.
UPDATE cvms.messages
SET status = 'withdrawn'
WHERE status IN ('waiting', 'refused')
    AND id IN (
        SELECT CAST(:recipient_id AS uuid)
        UNION ALL
        SELECT other.id
        FROM cvms.messages AS other
        WHERE other.recipient_id = :recipient_id
            AND other.recipient_id <> other.id
    )
