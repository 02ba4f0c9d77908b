-- Where those planned rows lie that are named in the database; empty afterwards, and made
-- once a connection, because making it costs more than using it.
CREATE TEMPORARY TABLE IF NOT EXISTS planned_rows (
    line integer NOT NULL,
    action text NOT NULL,
    recipient_id uuid,
    new_id uuid NOT NULL,
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
