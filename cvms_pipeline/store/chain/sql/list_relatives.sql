-- Lists the uploads of which an upload brings back rows, and those that bring back its
-- rows, with how many; a row that the later one does not reject was loaded by it.
SELECT
    relative.id AS upload_id,
    relative.file_name,
    pair.is_parent,
    relative.outstanding,
    count(brought.line) AS rows,
    count(brought.line) FILTER (WHERE again.line IS NULL) AS loaded
FROM (
    SELECT
        id,
        true AS is_parent,
        id AS earlier,
        CAST(:upload_id AS text) AS later
    FROM unnest(CAST(:parents AS text [])) AS parent (id)
    UNION ALL
    SELECT
        id,
        false AS is_parent,
        CAST(:upload_id AS text) AS earlier,
        id AS later
    FROM unnest(CAST(:children AS text [])) AS child (id)
) AS pair
INNER JOIN cvms.uploads AS relative ON pair.id = relative.id
LEFT JOIN cvms.rejected_rows AS brought
    ON pair.earlier = brought.upload_id AND pair.later = brought.brought_back_by
LEFT JOIN cvms.rejected_rows AS again
    ON pair.later = again.upload_id AND brought.brought_back_line = again.line
GROUP BY relative.id, relative.file_name, relative.outstanding, pair.is_parent
ORDER BY pair.is_parent DESC, relative.id
