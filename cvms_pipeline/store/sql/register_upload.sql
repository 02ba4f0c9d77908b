-- Registers a claimed upload once, however often a crash makes the sensor repeat it,
-- and records the provider's last upload of the same bytes.
INSERT INTO cvms.uploads (
    id, folder, provider, lane, file_name, sha256, size, claim_refusal, received_at,
    sent_from, sent_by, parent_upload
)
VALUES (
    :id, :folder, :provider, :lane, :file_name, :sha256, :size, :claim_refusal,
    :received_at, :sent_from, :sent_by,
    (
        SELECT earlier.id
        FROM cvms.uploads AS earlier
        WHERE earlier.provider = :provider AND earlier.sha256 = :sha256
            AND earlier.id <> :id
        ORDER BY earlier.received_at DESC, earlier.id DESC
        LIMIT 1
    )
)
ON CONFLICT ON CONSTRAINT pk_uploads DO NOTHING
