-- How far the recipients of all providers have come together, as far as it is counted as
-- it happens, and how many first invitations wait.
SELECT
    coalesce(sum(provider.recipients), 0) AS loaded,
    coalesce(sum(provider.passwords_set), 0) AS passwords_set,
    coalesce(sum(provider.registered), 0) AS registered,
    (
        SELECT count(*)
        FROM cvms.recipients
        WHERE denied_at IS NOT NULL AND removed_at IS NULL AND password_set_at IS NULL
    ) AS denied,
    (
        SELECT count(*)
        FROM cvms.messages
        WHERE kind = 'invitation' AND status = 'waiting' AND details ->> 'again' IS NULL
    ) AS waiting
FROM cvms.providers AS provider
