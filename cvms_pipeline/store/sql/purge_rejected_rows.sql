-- Deletes rejected rows, of some uploads at a time so that no lock is held for long;
-- the counts and reasons of the upload remain, and no row of it is outstanding any more.
-- An unsent notice contains the rows in its error report, so its upload waits.
WITH old AS (
    SELECT upload.id
    FROM cvms.uploads AS upload
    WHERE upload.purged_at IS NULL
        AND upload.rejected > 0
        AND upload.finished_at < :before
        AND upload.id <> ALL(CAST(:without AS text []))
        AND NOT EXISTS (
            SELECT FROM cvms.messages AS message
            WHERE message.upload_id = upload.id AND message.status = 'waiting'
        )
    ORDER BY upload.finished_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
),

purged AS (
    DELETE FROM cvms.rejected_rows AS rejected
    USING old
    WHERE rejected.upload_id = old.id
)

UPDATE cvms.uploads AS upload
SET
    purged_at = :now,
    outstanding = 0
FROM old
WHERE upload.id = old.id
RETURNING upload.id, upload.rejected
