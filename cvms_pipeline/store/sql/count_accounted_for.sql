-- Counts the lines of an upload that the tables explain, whatever its counts claim: rows
-- that loaded a recipient, rows that corrected one, and rejected rows.
SELECT
    (SELECT count(*) FROM cvms.recipients WHERE upload_id = :upload_id)
    + (SELECT count(*) FROM cvms.recipient_changes WHERE upload_id = :upload_id)
    + (SELECT count(*) FROM cvms.rejected_rows WHERE upload_id = :upload_id)
