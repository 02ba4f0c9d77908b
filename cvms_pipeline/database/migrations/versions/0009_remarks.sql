-- What a provider is to know about the file as a whole, as sentences.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS remarks text[] NOT NULL DEFAULT '{}';
