-- A provider's people are searched upload by upload.  The names are in the index of
-- uploads, so only the rows of those who match are read.  A new upload's people are
-- still added at the end of it, in its order, which costs a load nothing more.
CREATE INDEX IF NOT EXISTS ix_recipients_upload
    ON cvms.recipients (upload_id, first_key, last_key);
DROP INDEX IF EXISTS cvms.ix_recipients_upload_id;

-- Uploads that have loaded nobody new are passed over.
CREATE INDEX IF NOT EXISTS ix_uploads_with_people
    ON cvms.uploads (provider, id) WHERE loaded > updated;
