-- Takes uploads that were received before a moment and of which the provider does not
-- know the outcome, each once: those without one, and those with a notice that nobody
-- has tried to send.  Whoever is about to decide one of them waits for this transaction.
WITH delayed AS (
    SELECT id
    FROM cvms.uploads
    WHERE status IN ('received', 'processing', 'failed')
        AND received_at <= :before
        AND delayed_at IS NULL
        AND provider IS NOT NULL
    UNION
    SELECT upload.id
    FROM cvms.messages AS notice
    INNER JOIN cvms.uploads AS upload ON notice.upload_id = upload.id
    WHERE notice.status = 'waiting'
        AND notice.kind = 'notice'
        AND notice.attempts = 0
        AND upload.received_at <= :before
        AND upload.delayed_at IS NULL
    LIMIT :limit
),

taken AS (
    SELECT upload.id
    FROM cvms.uploads AS upload
    INNER JOIN delayed ON upload.id = delayed.id
    FOR UPDATE OF upload SKIP LOCKED
)

UPDATE cvms.uploads AS upload
SET delayed_at = :now
FROM taken
WHERE upload.id = taken.id
RETURNING upload.id, upload.folder, upload.file_name, upload.received_at
