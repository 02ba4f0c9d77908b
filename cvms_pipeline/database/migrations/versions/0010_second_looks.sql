-- Loaded rows that are probably people who are known already: line, what they have in
-- common, the other's upload (null if it is the same one) and line, and whether the
-- provider of the upload may know of it.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS possible_duplicates jsonb NOT NULL DEFAULT '[]';

-- A message of its own kind informs a provider once a day of the invitations that mail
-- servers have refused permanently.
ALTER TABLE cvms.messages
    DROP CONSTRAINT ck_messages_kind,
    ADD CONSTRAINT ck_messages_kind CHECK (
        kind IN ('notice', 'invitation', 'alert', 'refused-addresses')
    );
