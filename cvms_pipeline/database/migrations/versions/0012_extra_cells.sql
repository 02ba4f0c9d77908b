-- The cells of a rejected row that are in no known column, as a list in JSON, so that
-- the error report loses none; empty without any.
ALTER TABLE cvms.rejected_rows
    ADD COLUMN IF NOT EXISTS extra_cells text NOT NULL DEFAULT '';

-- Of an upload that is a corrected error report: the name of the file that the report
-- is of, and which line of that file each of its lines is.
ALTER TABLE cvms.uploads
    ADD COLUMN IF NOT EXISTS origin jsonb;
