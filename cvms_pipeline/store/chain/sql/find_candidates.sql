-- Finds the outstanding rows of a provider that an upload may bring back: those with the
-- error, the e-mail address or both names of one of its rows, each a list with U+001E
-- between.  Compared as `brought_back.make_probes` makes them: without white space
-- around, ASCII in lower case.
SELECT
    rejected.upload_id,
    rejected.line,
    array_to_string(rejected.codes, ',') AS codes,
    rejected.message,
    rejected.first_name,
    rejected.last_name,
    rejected.birth_date,
    rejected.email
FROM (
    SELECT id
    FROM cvms.uploads
    WHERE provider = :provider
        AND outstanding > 0
        AND id <> :upload_id
    ORDER BY received_at DESC, id DESC
    LIMIT :uploads
) AS earlier
INNER JOIN cvms.rejected_rows AS rejected ON earlier.id = rejected.upload_id
WHERE rejected.is_outstanding
    AND (
        lower(btrim(rejected.email, :blank) COLLATE "C")
        = ANY(string_to_array(:emails, chr(30)))
        OR lower(
            btrim(rejected.first_name, :blank)
            || chr(31)
            || btrim(rejected.last_name, :blank) COLLATE "C"
        ) = ANY(string_to_array(:names, chr(30)))
        OR rejected.message = ANY(string_to_array(:errors, chr(30)))
    )
LIMIT :limit
