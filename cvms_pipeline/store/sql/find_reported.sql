-- Which uploads of a provider have a rejected row with this line and message, the
-- latest first: an error report that was dropped may be one of theirs.
SELECT upload.id
FROM cvms.uploads AS upload
INNER JOIN cvms.rejected_rows AS rejected
    ON rejected.upload_id = upload.id AND rejected.line = :line
WHERE upload.provider = :provider
    AND upload.id <> :upload_id
    AND upload.rejected > 0
    AND upload.purged_at IS NULL
    AND rejected.message = :message
ORDER BY upload.received_at DESC, upload.id DESC
LIMIT :limit
