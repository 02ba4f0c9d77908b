-- The table for planned rows that get their usernames in the database.  It is empty
-- after each transaction, and created once a connection, because creating it costs more
-- than using it.
CREATE TEMPORARY TABLE IF NOT EXISTS planned_rows (
    line integer NOT NULL,
    action text NOT NULL,
    recipient_id uuid,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date NOT NULL,
    email text NOT NULL,
    first_key text COLLATE "C" NOT NULL,
    last_key text COLLATE "C" NOT NULL,
    username text COLLATE "C",
    username_number integer
) ON COMMIT DELETE ROWS;

DELETE FROM pg_temp.planned_rows
