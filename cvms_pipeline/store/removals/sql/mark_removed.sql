-- Removes a recipient who is locked: the match key and the username become values made
-- of the id.  No name has a colon, and every other username has an @, so no upload can
-- match them, and whoever is loaded again is new.
UPDATE cvms.recipients
SET
    removed_at = :now,
    first_key = 'removed:' || id,
    last_key = '',
    username = 'removed:' || id,
    username_number = 1
WHERE id = :recipient_id
