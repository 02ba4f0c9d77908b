-- Where an upload's usernames of first choice lie, in small letters, while it is looked
-- up which of them are taken; empty in every new transaction, and made once a
-- connection, because making it costs more than using it.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_usernames (
    username text COLLATE "C" NOT NULL
) ON COMMIT DELETE ROWS
