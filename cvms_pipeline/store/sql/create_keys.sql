-- Where an upload's match keys lie while they are looked up, with its e-mail addresses;
-- empty afterwards, and made once a connection, because making it costs more than using
-- it.
CREATE TEMPORARY TABLE IF NOT EXISTS upload_keys (
    line integer NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    birth_date date NOT NULL,
    email_key text COLLATE "C" NOT NULL
) ON COMMIT DELETE ROWS;

DELETE FROM pg_temp.upload_keys
