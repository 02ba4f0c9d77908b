-- How many rows a refused file has, if they could be counted; and when a provider was
-- told that an upload is delayed, in its receipt and by mail.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS refused_rows integer,
    ADD COLUMN IF NOT EXISTS delayed_at timestamptz,
    ADD COLUMN IF NOT EXISTS delay_mailed_at timestamptz,
    DROP CONSTRAINT IF EXISTS ck_uploads_refused_rows,
    ADD CONSTRAINT ck_uploads_refused_rows CHECK (
        refused_rows IS NULL OR refused_rows >= 0 AND refusal_code IS NOT NULL
    );

-- A message of its own kind tells a provider once that uploads take very long.
ALTER TABLE cvms.messages
    DROP CONSTRAINT ck_messages_kind,
    ADD CONSTRAINT ck_messages_kind CHECK (
        kind IN ('notice', 'invitation', 'alert', 'refused-addresses', 'account', 'delay')
    );
