-- Selects what is shown to people about sessions that no longer exist.
SELECT fact.id
FROM portal.usersessions_usersession AS fact
WHERE fact.created_at < CAST(:before AS timestamptz)
    AND NOT EXISTS (
        SELECT FROM portal.django_session AS found
        WHERE found.session_key = fact.session_key
    )
