-- Records who is to be removed by a case; another person than before, if it has asked
-- for somebody else and nobody has approved that yet.
INSERT INTO cvms.removals AS removal (recipient_id, case_number, asked_by, asked_at)
VALUES (:recipient_id, :case_number, :asked_by, :now)
ON CONFLICT (case_number) DO UPDATE
SET
    recipient_id = excluded.recipient_id,
    asked_by = excluded.asked_by,
    asked_at = excluded.asked_at
WHERE removal.approved_at IS NULL
RETURNING removal.recipient_id
