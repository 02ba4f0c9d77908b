-- Which of these uploads are over and done with, the first to have finished first: a
-- moment ago or longer, not failed since, and no message about them is still to go.
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
