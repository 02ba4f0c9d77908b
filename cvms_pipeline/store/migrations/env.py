"""What Alembic runs: the revisions, on the connection and in the transaction given.

Started only by `store.engine.upgrade`, which locks; there is no `alembic.ini`.
"""

from alembic import context

from cvms_pipeline.store import engine, tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.METADATA,
    version_table_schema=engine.SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
