-- 10,000 people, with only the columns that every revision has.  Two people each share
-- an e-mail address; the first ten invitations and the notice have not been sent yet.
INSERT INTO cvms.providers (slug, name, vfc_pin, emails, recipients, created_at)
VALUES ('mercy', 'Mercy', 'NCA123456', '{staff@mercy.example.org}', 10000, now());
INSERT INTO cvms.uploads (
    id, folder, provider, lane, file_name, status, rows, loaded, updated, rejected,
    reasons, received_at, started_at, decided_at, finished_at, run_id
)
VALUES (
    '20260101-000000-aaaaaaaa', 'mercy', 'mercy', 'high_volume', 'first.csv', 'completed_with_errors',
    10001, 10000, 1, 1, '{"required-missing": 1}', now(), now(), now(),
    now(), 'run-1'
);
INSERT INTO cvms.recipients (
    first_name, last_name, birth_date, email, first_key, last_key, username,
    username_number, provider, upload_id, source_line, loaded_at, registered_at
)
SELECT
    'Ann', last_name, date '1950-01-01' + i, email, 'ann', lower(last_name),
    email || CASE WHEN mod(i, 2) = 0 THEN '' ELSE '.2' END || '.COVID19VACCINE',
    1 + mod(i, 2), 'mercy', '20260101-000000-aaaaaaaa', i + 2, now(),
    CASE WHEN mod(i, 3) = 0 AND i > 9 THEN now() END
FROM (
    SELECT
        i, 'p' || i / 2 || '@b.example.org' AS email,
        'P' || translate(i::text, '0123456789', 'abcdefghij') AS last_name
    FROM generate_series(0, 9999) AS i
) AS invented;
INSERT INTO cvms.recipient_changes (
    recipient_id, old_email, new_email, old_username, new_username, upload_id,
    source_line, changed_at
)
SELECT id, 'x@b.example.org', email, 'x', username, upload_id, source_line, now()
FROM cvms.recipients WHERE source_line = 2;
INSERT INTO cvms.rejected_rows
VALUES ('20260101-000000-aaaaaaaa', 10002, 'Cy', '', '1/2/1990', 'c@b.example.org',
    '{required-missing}', 'Required fields are missing: [LastName]');
INSERT INTO cvms.messages (
    purpose, kind, upload_id, recipient_id, addresses, status, attempts, queued_at,
    next_attempt_at, sent_at
)
SELECT
    'invitation:' || id, 'invitation', upload_id, id, ARRAY[email],
    CASE WHEN source_line < 12 THEN 'waiting' ELSE 'sent' END, 1, now(), now(),
    CASE WHEN source_line < 12 THEN NULL ELSE now() END
FROM cvms.recipients;
INSERT INTO cvms.messages
    (purpose, kind, upload_id, addresses, queued_at, next_attempt_at)
VALUES
    ('notice:20260101-000000-aaaaaaaa', 'notice', '20260101-000000-aaaaaaaa', '{staff@mercy.example.org}', now(),
    now());
ANALYZE;
