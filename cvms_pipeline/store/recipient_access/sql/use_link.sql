-- Uses a link to set a password, if it is the current one of a recipient who has the
-- address that it is bound to.  The first invitation has the id of its recipient, and is
-- the current link until another one goes out or a password is set.
UPDATE cvms.recipients
SET
    password_set_at = coalesce(password_set_at, :now),
    link_id = NULL
WHERE id = :recipient_id
    AND email = :email
    AND removed_at IS NULL
    AND denied_at IS NULL
    AND coalesce(link_id, CASE WHEN password_set_at IS NULL THEN id END) = :link_id
