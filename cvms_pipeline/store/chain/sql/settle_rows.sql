-- Records that an upload brings back rejected rows, and returns of which uploads.  These
-- are locked in the order of their ids, so that two uploads that bring back rows of the
-- same ones wait for each other; what another one was faster with is passed over.
WITH found AS (
    SELECT *
    FROM unnest(
        CAST(:upload AS text []),
        CAST(:line AS integer []),
        CAST(:brought_back_line AS integer [])
    ) AS given (upload_id, line, brought_back_line)
),

parents AS MATERIALIZED (
    SELECT id
    FROM cvms.uploads
    WHERE id IN (SELECT upload_id FROM found)
    ORDER BY id
    FOR NO KEY UPDATE
),

settled AS (
    UPDATE cvms.rejected_rows AS rejected
    SET
        is_outstanding = false,
        brought_back_by = :upload_id,
        brought_back_line = found.brought_back_line
    FROM found
    WHERE found.upload_id IN (SELECT id FROM parents)
        AND rejected.upload_id = found.upload_id
        AND rejected.line = found.line
        AND rejected.is_outstanding
    RETURNING rejected.upload_id
),

counted AS (
    SELECT
        upload_id,
        count(*) AS number
    FROM settled
    GROUP BY upload_id
)

UPDATE cvms.uploads AS parent
SET
    outstanding = parent.outstanding - counted.number,
    children = array_append(parent.children, :upload_id)
FROM counted
WHERE parent.id = counted.upload_id
RETURNING parent.id
