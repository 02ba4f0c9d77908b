-- Selects counts of attempts of which the time is over.
SELECT cache_key
FROM portal.portal_cache
WHERE expires < CAST(:before AS timestamptz)
