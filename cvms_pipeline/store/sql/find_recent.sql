-- The uploads of the last days, for a backup to tell which file in a lane has become
-- an upload while it was made.
SELECT id, folder, lane, file_name, sha256
FROM cvms.uploads
WHERE received_at >= :since AND sha256 IS NOT NULL
