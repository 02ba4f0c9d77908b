-- Returns which of these uploads are settled, the first to have finished first:
-- finished before a moment, not failed since, and without an unsent message.
SELECT upload.id, upload.provider, upload.finished_at
FROM cvms.uploads AS upload
WHERE upload.id = ANY(:ids)
    AND upload.finished_at < :before
    AND NOT EXISTS (
        SELECT FROM cvms.messages AS message
        WHERE message.upload_id = upload.id AND message.status = 'waiting'
    )
ORDER BY upload.finished_at, upload.id
LIMIT :limit
