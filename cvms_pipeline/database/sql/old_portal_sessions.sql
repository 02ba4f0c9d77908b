-- Selects the sessions of the portal that have ended; Django only ignores them.
SELECT session_key
FROM portal.django_session
WHERE expire_date < CAST(:before AS timestamptz)
