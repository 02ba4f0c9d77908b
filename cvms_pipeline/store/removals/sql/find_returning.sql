-- Finds the removed people, not erased yet, whose rejected rows an upload of a provider
-- brings back with the error that they had: `errors` is a list with U+001E between.
SELECT
    rejected.message,
    CAST(recipient.id AS text) AS recipient_id,
    recipient.first_name,
    recipient.last_name,
    recipient.birth_date,
    recipient.email,
    recipient.provider,
    recipient.upload_id AS upload,
    recipient.source_line
FROM cvms.removals AS removal
INNER JOIN cvms.recipients AS recipient ON removal.recipient_id = recipient.id
CROSS JOIN LATERAL cvms.list_rows_of(removal.recipient_id) AS place
INNER JOIN cvms.uploads AS upload
    ON place.upload_id = upload.id AND upload.provider = :provider
INNER JOIN cvms.rejected_rows AS rejected
    ON place.upload_id = rejected.upload_id AND place.line = rejected.line
WHERE removal.approved_at IS NOT NULL
    AND removal.erased_at IS NULL
    AND rejected.message = ANY(string_to_array(:errors, chr(30)))
