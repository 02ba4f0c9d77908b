-- The table for an upload's match keys and e-mail addresses while they are looked up.
-- It is empty after each transaction, and created once a connection, because creating
-- it costs more than using it.
CREATE TEMPORARY TABLE IF NOT EXISTS upload_keys (
    line integer NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    birth_date date NOT NULL,
    email_key text COLLATE "C" NOT NULL
) ON COMMIT DELETE ROWS;

DELETE FROM pg_temp.upload_keys
