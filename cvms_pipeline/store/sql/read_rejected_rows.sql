-- Reads an upload's rejected rows, in order of line; of an array, text with commas
-- between.  Without those that were erased with the person whose row it was.
SELECT
    line,
    array_to_string(codes, ',') AS codes,
    message,
    first_name,
    last_name,
    birth_date,
    email,
    extra_cells
FROM cvms.rejected_rows
WHERE upload_id = :upload_id
    AND message <> ''
ORDER BY line
