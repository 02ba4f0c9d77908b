-- Finds a name with letters outside ASCII that an upload has loaded, the first in its
-- file: the notice shows it so that a person sees whether the letters are right.
SELECT first_name || ' ' || last_name
FROM cvms.recipients
WHERE upload_id = :upload_id
    AND removed_at IS NULL
    AND first_name || last_name ~ '[^\x01-\x7f]'
ORDER BY source_line
LIMIT 1
