-- The uploads whose bytes the archive was given, with what they must be. Retention
-- takes them away again, long after the upload has finished.
SELECT id, sha256, finished_at IS NOT NULL AS is_finished
FROM cvms.uploads
WHERE sha256 IS NOT NULL AND claim_refusal IS NULL
ORDER BY id
