-- Lists what a backup has to know of every upload: which bytes in the archive belong to
-- it, and the facts by which a copied file is recognised as this upload.
SELECT
    id, folder, lane, file_name, sha256,
    claim_refusal IS NOT NULL AS is_quarantined,
    finished_at IS NOT NULL AS is_finished
FROM cvms.uploads
ORDER BY id
