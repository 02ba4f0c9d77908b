-- Erases the texts, names and addresses of cases that were closed long ago.  Numbers,
-- kinds, states and times stay, and so do the ids of accounts.
WITH erased AS (
    UPDATE cvms.cases AS old
    SET
        organisation = '', requester_name = '', requester_email = '',
        assignee_name = '', vfc_pin = '', erased_at = :now, version = version + 1
    FROM (
        SELECT number, requester_email FROM cvms.cases
        WHERE closed_at < :before
            AND erased_at IS NULL
            AND number <> ALL(CAST(:without AS bigint []))
        ORDER BY closed_at
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE old.number = due.number
    RETURNING old.number, due.requester_email
),

texts AS (
    UPDATE cvms.case_activity AS activity SET text = '', author_name = ''
    FROM erased
    WHERE activity.number = erased.number
),

files AS (
    UPDATE cvms.case_files AS file
    SET file_name = '', removed_at = coalesce(file.removed_at, :now)
    FROM erased
    WHERE file.number = erased.number
    RETURNING file.id, file.number
),

messages AS (
    UPDATE cvms.messages AS message
    SET
        addresses = '{}',
        status = CASE status WHEN 'sent' THEN 'sent' ELSE 'withdrawn' END
    FROM erased
    WHERE message.kind = 'case'
        AND message.purpose >= 'case:' || erased.number || ':'
        AND message.purpose < 'case:' || erased.number || ';'
),

notices AS (
    UPDATE cvms.messages AS message
    SET addresses = array_remove(message.addresses, erased.requester_email)
    FROM erased
    INNER JOIN cvms.case_files AS loaded ON erased.number = loaded.number
    WHERE message.upload_id = loaded.upload_id
        AND message.kind = 'notice'
        AND message.addresses <> ARRAY[erased.requester_email]
)

SELECT
    erased.number,
    coalesce(
        array_agg(files.id) FILTER (WHERE files.id IS NOT NULL), '{}'
    ) AS file_ids
FROM erased
LEFT JOIN files ON erased.number = files.number
GROUP BY erased.number
ORDER BY erased.number
