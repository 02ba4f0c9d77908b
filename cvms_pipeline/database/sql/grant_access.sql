-- The rights of the services' role: it reads everything, writes what the pipeline
-- writes, and creates, changes or drops no table.  A new table needs its rights added
-- here.  Dagster's, Celery's and the portal's tables can be written freely, also those
-- that they add later.
REVOKE ALL ON ALL TABLES IN SCHEMA cvms FROM {role};
REVOKE CREATE ON SCHEMA cvms, dagster, celery, portal FROM {role};
GRANT USAGE ON SCHEMA cvms, dagster, celery, portal TO {role};

GRANT SELECT ON ALL TABLES IN SCHEMA cvms TO {role};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA cvms TO {role};
GRANT INSERT (event, upload_id, provider, run_id, details) ON cvms.audit TO {role};
GRANT INSERT ON cvms.recipient_changes TO {role};
GRANT INSERT, DELETE ON cvms.rejected_rows TO {role};
GRANT UPDATE (is_outstanding, brought_back_by, brought_back_line, dismissed_why)
ON cvms.rejected_rows
TO {role};
-- These have the rights of the tables' owner, so nobody else may call them.
REVOKE EXECUTE ON FUNCTION cvms.withdraw(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cvms.withdraw(text, text, timestamptz) TO {role};
REVOKE EXECUTE ON FUNCTION cvms.erase(uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cvms.erase(uuid, timestamptz) TO {role};
GRANT INSERT, UPDATE, DELETE
ON cvms.removals, cvms.registrations, cvms.registration_drafts
TO {role};
GRANT INSERT, UPDATE
ON cvms.case_activity, cvms.case_files, cvms.cases, cvms.messages, cvms.providers, cvms.recipients, cvms.uploads
TO {role};

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dagster, celery, portal TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA dagster, celery, portal TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA dagster, celery, portal
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA dagster, celery, portal
GRANT USAGE, SELECT ON SEQUENCES TO {role};
