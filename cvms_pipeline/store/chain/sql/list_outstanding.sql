-- Lists uploads with outstanding rows, the latest first, with their lines and codes.
SELECT
    upload.id AS upload_id,
    upload.provider,
    upload.file_name,
    upload.received_at,
    listed.numbers,
    listed.codes
FROM (
    SELECT *
    FROM cvms.uploads
    WHERE outstanding > 0
        AND (CAST(:provider AS text) IS NULL OR provider = :provider)
    ORDER BY received_at DESC, id DESC
    LIMIT :limit
) AS upload
CROSS JOIN LATERAL (
    SELECT
        array_agg(rejected.line ORDER BY rejected.line) AS numbers,
        array_agg(array_to_string(rejected.codes, ',') ORDER BY rejected.line) AS codes
    FROM cvms.rejected_rows AS rejected
    WHERE rejected.upload_id = upload.id AND rejected.is_outstanding
) AS listed
WHERE listed.numbers IS NOT NULL
ORDER BY upload.received_at DESC, upload.id DESC
