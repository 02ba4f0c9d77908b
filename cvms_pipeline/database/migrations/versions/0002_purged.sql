-- When the rejected rows of an upload were purged; its counts stay, and from then on
-- they are the only evidence of those lines.
ALTER TABLE cvms.uploads
    ADD COLUMN purged_at timestamptz,
    ADD CONSTRAINT ck_uploads_purged
        CHECK (purged_at IS NULL OR decided_at IS NOT NULL);

-- What is still to be purged, oldest first, however long the history.
CREATE INDEX ix_uploads_unpurged ON cvms.uploads (finished_at)
    WHERE purged_at IS NULL AND rejected > 0;
