-- Gives recipients the match keys that their names have now.  Of two people whose keys
-- have become equal, the one loaded first has the new key: later rows match that one.
-- The other one keeps its earlier key, which no row can have any more.
UPDATE cvms.recipients AS recipient
SET
    first_key = changed.first_key,
    last_key = changed.last_key
FROM (
    SELECT
        changed_keys.*,
        row_number() OVER (
            PARTITION BY
                changed_keys.first_key, changed_keys.last_key, stored.birth_date
            ORDER BY stored.loaded_at, stored.id
        ) AS place,
        stored.birth_date
    FROM pg_temp.changed_keys
    INNER JOIN cvms.recipients AS stored USING (id)
) AS changed
WHERE recipient.id = changed.id
    AND changed.place = 1
    AND NOT EXISTS (
        SELECT FROM cvms.recipients AS other
        WHERE other.first_key = changed.first_key
            AND other.last_key = changed.last_key
            AND other.birth_date = changed.birth_date
    )
