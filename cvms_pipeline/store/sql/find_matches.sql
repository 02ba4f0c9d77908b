-- Finds the recipients that rows of an upload match: one search of the unique index for
-- each row, so that it takes as long with ten million recipients as with none (LIMIT
-- keeps the planner from reading the whole table instead).
SELECT
    upload_keys.line,
    CAST(stored.id AS text) AS recipient_id,
    stored.email,
    stored.provider,
    stored.password_set_at IS NOT NULL
    OR stored.removed_at IS NOT NULL AS is_registered,
    stored.upload_id AS upload,
    stored.source_line
FROM pg_temp.upload_keys
CROSS JOIN LATERAL (
    SELECT *
    FROM cvms.recipients AS recipient
    WHERE recipient.first_key = upload_keys.first_key
        AND recipient.last_key = upload_keys.last_key
        AND recipient.birth_date = upload_keys.birth_date
    LIMIT 1
) AS stored
ORDER BY upload_keys.line
