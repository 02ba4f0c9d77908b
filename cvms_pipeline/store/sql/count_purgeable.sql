-- What `purge_rejected_rows` would purge: how many uploads, how many of their rows.
SELECT count(*) AS uploads, coalesce(sum(upload.rejected), 0) AS rows
FROM cvms.uploads AS upload
WHERE upload.purged_at IS NULL
    AND upload.rejected > 0
    AND upload.finished_at < :before
    AND NOT EXISTS (
        SELECT FROM cvms.messages AS message
        WHERE message.upload_id = upload.id AND message.status = 'waiting'
    )
