-- Finds the earlier upload of the provider with the very same bytes that loaded the most
-- rows, and counts how many rows of these bytes are in the system at least.
SELECT
    earlier.id AS upload_id,
    earlier.received_at,
    greatest(
        max(earlier.loaded) OVER (),
        sum(earlier.loaded - earlier.updated) OVER ()
    ) AS rows
FROM cvms.uploads AS earlier
WHERE
    earlier.provider = :provider
    AND earlier.sha256 = :sha256
    AND earlier.id <> :id
    AND earlier.decided_at < :decided_at
    AND earlier.withdrawn_at IS NULL
ORDER BY earlier.loaded DESC, earlier.received_at, earlier.id
LIMIT 1
