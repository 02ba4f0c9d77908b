-- Lists which bytes in the archive of cases belong to a row, for a backup.
SELECT id, sha256
FROM cvms.case_files
WHERE removed_at IS NULL
ORDER BY id
