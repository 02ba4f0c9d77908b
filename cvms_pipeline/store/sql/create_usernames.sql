-- Where the e-mail addresses of an upload's new people lie while it is looked up whose
-- username of first choice is taken; empty in every new transaction, and made once a
-- connection, because making it costs more than using it.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_usernames (
    line integer NOT NULL,
    email_key text NOT NULL
) ON COMMIT DELETE ROWS
