-- How many recipients there are by the status of the newest invitation that an upload
-- has led to: one that was sent again counts once.
SELECT newest.status, count(*) AS number
FROM (
    SELECT DISTINCT ON (recipient_id) status
    FROM cvms.messages
    WHERE upload_id = :upload_id AND kind = 'invitation'
    ORDER BY recipient_id, queued_at DESC, id DESC
) AS newest
GROUP BY newest.status
