"""What Alembic runs: the revisions, on the connection and in the transaction given.

Started only by `database.revisions.upgrade`, which takes a lock.  There is no
`alembic.ini`.
"""

from alembic import context

from cvms_pipeline.database import schemas, tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    version_table_schema=schemas.CVMS,
)
with context.begin_transaction():
    context.run_migrations()
