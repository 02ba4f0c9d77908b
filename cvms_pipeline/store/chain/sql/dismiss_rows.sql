-- Dismisses outstanding rows of an upload that its caller has locked, all of them or
-- those of some lines, and returns their lines; a trigger writes the audit.
WITH dismissed AS (
    UPDATE cvms.rejected_rows
    SET
        is_outstanding = false,
        dismissed_why = :why
    WHERE upload_id = :upload_id
        AND is_outstanding
        AND (CAST(:lines AS integer []) IS NULL OR line = ANY(CAST(:lines AS integer [])))
    RETURNING line
),

counted AS (
    UPDATE cvms.uploads
    SET
        outstanding = outstanding - (SELECT count(*) FROM dismissed),
        dismissed = dismissed + (SELECT count(*) FROM dismissed)
    WHERE id = :upload_id
)

SELECT line FROM dismissed
