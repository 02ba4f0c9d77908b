-- The addresses of a provider, and of who has sent the file of an upload to the help
-- desk, if it came that way and is not one of them.
SELECT
    provider.emails || ARRAY(
        SELECT requester.requester_email
        FROM cvms.case_files AS file
        INNER JOIN cvms.cases AS requester ON file.number = requester.number
        WHERE file.upload_id = :upload_id
            AND requester.erased_at IS NULL
            AND NOT EXISTS (
                SELECT FROM unnest(provider.emails) AS known (email)
                WHERE lower(known.email) = lower(requester.requester_email)
            )
    )
FROM cvms.providers AS provider
WHERE provider.slug = :provider
