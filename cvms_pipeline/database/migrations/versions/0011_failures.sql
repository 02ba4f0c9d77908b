-- The run and the step that have failed last, and why, in a sentence of ours without
-- personal data; without a run, the step is being tried again.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS failed_run text,
    ADD COLUMN IF NOT EXISTS failed_step text,
    ADD COLUMN IF NOT EXISTS failure text;
