-- Selects the accounts of people who have registered and neither set a password nor
-- logged in nor opened a case, and whose last link has ended for days.
SELECT account.id
FROM portal.accounts_account AS account
WHERE account.role = 'requester'
    AND account.password LIKE '!%'
    AND account.last_login IS NULL
    AND account.added_at < CAST(:links_before AS timestamptz)
    AND NOT EXISTS (SELECT FROM cvms.cases WHERE requester = account.id)
    AND NOT EXISTS (
        SELECT FROM cvms.messages
        WHERE kind <> 'invitation'
            AND purpose >= 'account:' || account.id || ':'
            AND purpose < 'account:' || account.id || ';'
            AND queued_at >= CAST(:links_before AS timestamptz)
    )
